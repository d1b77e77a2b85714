"""What the fold's answer to a command means, in words. Reasons: alerts.command.Verdict."""

from collections.abc import Mapping

VERDICTS: Mapping[str, tuple[str, str]] = {
    "applied": ("操作已完成。", "Done."),
    "stale": ("该事项刚被他人更新，请核对后再操作。", "Changed by someone else a moment ago; check it, then act."),
    "same_person": (
        "红色关注须由另一人确认，您已确认过。",
        "Red needs a second, different person; you have confirmed it already.",
    ),
    "not_open": ("该提示已关闭。", "This warning is closed."),
    "unknown_warning": (
        "未找到该事项，或不在您的权限范围内。",
        "Not found, or outside your area.",
    ),
    "outcome_required": (
        "橙色和红色关注关闭时须填写结果。",
        "Orange and red are closed with an outcome; choose one.",
    ),
    "reason_required": ("请填写理由。", "A reason is required."),
    "duplicate": (
        "此操作编号已用于另一项操作，请重新提交。",
        "This key was used for another action; send this one under a new key.",
    ),
    "not_allowed": (
        "该事项目前不能进行此操作。",
        "This cannot be done to the warning as it stands.",
    ),
    "bad_command": (
        "操作内容不完整，请核对后重试。",
        "Something is missing in this action; check it and try again.",
    ),
}
