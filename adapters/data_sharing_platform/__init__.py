"""City data-sharing platform (政务数据资源共享平台): what is known of deaths and cremations."""
