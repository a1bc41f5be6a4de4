"""servicestage-auditd: watches Git repository authorizations of Huawei Cloud ServiceStage."""

__version__ = "0.1.0"
