"""The remote API: ServiceStage and IAM of Huawei Cloud, and nothing that they do not need."""
