"""公安: household registration, certificates of abnormal death, driving licences."""
