"""人社/社保: pensions, funeral grants, bereavement payments, individual accounts."""
