"""Errors over HTTP: one class, one table of reasons with words in Chinese and English, sent as RFC 9457."""

from collections.abc import Mapping
from typing import Any, NamedTuple

MEDIA_TYPE = "application/problem+json"


class Told(NamedTuple):
    """Status, what is wrong and what to do about it, in Chinese and English."""

    status: int
    zh: str
    en: str
    zh_remedy: str
    en_remedy: str


REASONS: Mapping[str, Told] = {
    "not_signed_in": Told(401, "登录已失效。", "Your session has expired.", "请重新登录。", "Sign in again."),
    "wrong_credentials": Told(
        401,
        "账号或密码不正确。",
        "Name or password is wrong.",
        "请核对后重试；忘记密码请联系本单位管理员。",
        "Check both and try again; ask your administrator if you have forgotten the password.",
    ),
    "used_token": Told(
        401,
        "登录链接已使用或已过期。",
        "This sign-in link was used or has expired.",
        "请联系管理员重新生成登录链接。",
        "Ask your administrator for a new link.",
    ),
    "wrong_csrf": Told(
        403,
        "请求未通过来源校验。",
        "The request did not prove where it comes from.",
        "请刷新页面后重试。",
        "Reload the page and try again; programs send the header X-CSRF from the session.",
    ),
    "no_permission": Told(
        403,
        "无此权限。",
        "You may not do this.",
        "如工作需要请联系本单位管理员。",
        "If your work needs it, ask your administrator.",
    ),
    "not_found": Told(
        404,
        "未找到该事项，或不在您的权限范围内。",
        "Not found, or outside your area.",
        "请核对编号，或联系管理员调整权限范围。",
        "Check the id, or ask your administrator about your area.",
    ),
    "no_scoreboard": Told(
        404,
        "仅演练数据有成效评估。",
        "Only simulated data has a results board.",
        "请运行演示环境查看。",
        "Run the demo to see one.",
    ),
    "wrong_method": Told(
        405,
        "不支持此操作方式。",
        "This method is not supported here.",
        "请核对接口说明。",
        "See the OpenAPI description.",
    ),
    "too_large": Told(413, "内容过大。", "The content is too large.", "请分批提交。", "Send it in smaller parts."),
    "invalid": Told(
        422,
        "提交的内容有误。",
        "What was sent cannot be read.",
        "请按逐项提示修改后重试。",
        "Mend the fields named in `errors` and send it again.",
    ),
    "no_key": Told(
        422,
        "缺少操作编号（Idempotency-Key）。",
        "The header Idempotency-Key is missing or not 8 to 100 plain characters.",
        "请为每次操作生成一个编号，重试时沿用。",
        "Give every action a key of its own and keep it when you try again.",
    ),
    "unknown_office": Told(
        422,
        "没有这个单位。",
        "There is no such office.",
        "请从单位列表中选择。",
        "Choose an office of the territory.",
    ),
    "unknown_filter": Told(
        422,
        "筛选条件有误。",
        "A filter has a value that does not exist.",
        "请清除筛选后重试。",
        "Clear the filter and try again.",
    ),
    "too_many": Told(
        429,
        "尝试次数过多。",
        "Too many attempts.",
        "请稍后再试。",
        "Wait as long as Retry-After says.",
    ),
    "no_storage": Told(
        503,
        "数据暂时无法写入，未保存。",
        "It cannot be stored at the moment; nothing was saved.",
        "请稍后重试；如持续出现请检查磁盘空间。",
        "Try again shortly; if it stays so, look at the free disk space.",
    ),
    "not_ready": Told(503, "系统正在启动。", "The site is starting.", "请稍候。", "Wait a moment."),
    "internal": Told(
        500,
        "系统内部错误。",
        "Something went wrong inside.",
        "请重试；如持续出现请联系管理员。",
        "Try again; if it stays so, tell your administrator.",
    ),
}  # fmt: skip


class Refusal(Exception):
    """What was asked is not done; `reason` is a key of REASONS. `detail` names the case in English."""

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason, self.detail, self.headers, self.errors = reason, detail, dict(headers or {}), errors or []

    @property
    def status(self) -> int:
        """The HTTP status."""
        return REASONS[self.reason].status

    def body(self) -> dict[str, Any]:
        """The problem as it travels."""
        told = REASONS[self.reason]
        body: dict[str, Any] = {
            "type": f"/problems/{self.reason}",
            "title": told.en,
            "status": told.status,
            "detail": self.detail or told.en_remedy,
            "reason": self.reason,
            "text": {"zh": told.zh, "en": told.en},
            "remedy": {"zh": told.zh_remedy, "en": told.en_remedy},
        }
        return body | ({"errors": self.errors} if self.errors else {})
