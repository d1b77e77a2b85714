"""Words by which systems name the steps of a matter, Chinese and English. They propose a mapping and never run one."""

import re

from pipeline.signal import Step

_WORDS: dict[Step, str] = {
    Step.REGISTERED: "登记 创建 新建 提交 上报 立案 来电 诉求时间 申请时间 待受理 待处理 待签收 new open opened "
    "created create registered registration received submitted logged reported intake entered raised start",
    Step.ROUTED: "派单 派遣 分派 派发 交办 转派 下派 routed assigned assign dispatched dispatch allocated triaged "
    "queued",
    Step.ACCEPTED: "受理 签收 接单 接收 accepted acknowledged acknowledge accept",
    Step.HANDLING: "办理中 处理中 处置中 在办 办理 处理 处置 handling active working progress wip investigating "
    "started ongoing inspection",
    Step.REPLIED: "答复 回复 反馈 replied responded reply answered response",
    Step.REPORTED_DONE: "报结 办毕 办理完成 处置完成 处理完成 完成 已解决 resolved done completed complete fixed "
    "finished solved",
    Step.VERIFIED: "核实 核查 回访 复核 验收 verified verify confirmed checked callback",
    Step.CLOSED: "办结 结案 关闭 归档 销号 已结 closed close closure archived",
    Step.RETURNED: "退单 退回 拒收 returned rejected bounced",
    Step.SENT_BACK: "退回重办 重办 返工 rework",
    Step.EXTENDED: "延期 延时 extended extension",
    Step.REOPENED: "重新打开 重启 重开 再次办理 reopened reopen",
    Step.HANDED_OVER: "转办 移交 改派 转交 transferred reassigned handover handed forwarded escalated",
    Step.PAUSED: "挂起 暂停 中止 paused suspended hold pending waiting awaiting",
    Step.RESUMED: "恢复 resumed",
    Step.NOT_ACCEPTED: "不予受理 不受理 declined",
    Step.MERGED: "合并 并案 merged duplicate",
    Step.WITHDRAWN: "撤单 撤销 撤回 withdrawn cancelled canceled",
    Step.REPORTED_AGAIN: "催办 催单 再次反映 chased reminder",
}

_STEP_OF = {word: step for step, words in _WORDS.items() for word in words.split()}
_CHINESE = sorted((word for word in _STEP_OF if not word.isascii()), key=len, reverse=True)


def step_word(text: str) -> Step | None:
    """The step that a value or the name of a time column stands for; the longest word in it decides."""
    lowered = text.lower()
    for word in _CHINESE:
        if word in lowered:
            return _STEP_OF[word]
    for part in re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()):
        if part in _STEP_OF:
            return _STEP_OF[part]
    return None
