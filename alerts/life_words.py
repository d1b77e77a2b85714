"""States of a warning, causes of its changes and steps of a matter, in Chinese and English."""

Pair = tuple[str, str]

STATES: dict[str, Pair] = {
    "open": ("未关闭", "open"),
    "acknowledged": ("已签收", "acknowledged"),
    "closed": ("已关闭", "closed"),
    "ended": ("自行结束", "ended by itself"),
}

CAUSES: dict[str, Pair] = {
    "raised": ("关注级上调", "level raised"),
    "lowered": ("关注级下调", "level lowered"),
    "withdrawn": ("撤回拟列", "proposal withdrawn"),
    "confirmed": ("确认", "confirmed"),
    "declined": ("未予确认", "declined"),
    "acknowledged": ("签收", "acknowledged"),
    "lapsed": ("签收后逾期未更新", "acknowledgement lapsed"),
    "assigned": ("指派", "assigned"),
    "noted": ("补充记录", "note added"),
    "undone": ("撤销操作", "undone"),
    "closed": ("关闭提示", "closed"),
    "ended": ("自行结束", "ended by itself"),
    "reopened": ("重新打开", "opened again"),
    "config_changed": ("配置调整", "configuration changed"),
}

STEPS: dict[str, Pair] = {
    "updated": ("更新", "updated"),
    "registered": ("已登记", "registered"),
    "routed": ("已派单", "dispatched"),
    "accepted": ("已受理", "accepted"),
    "handling": ("办理中", "handling"),
    "replied": ("已答复", "replied"),
    "reported_done": ("已报结", "reported done"),
    "verified": ("已核实", "verified"),
    "closed": ("已办结", "closed"),
    "returned": ("退单", "returned by the office"),
    "upheld": ("异议成立", "return upheld"),
    "not_upheld": ("异议不成立", "return not upheld"),
    "sent_back": ("退回重办", "sent back for rework"),
    "extended": ("延期", "extended"),
    "reopened": ("重新办理", "reopened"),
    "listed": ("挂牌督办", "listed for supervision"),
    "delisted": ("摘牌", "de-listed"),
    "handed_over": ("转办", "handed over"),
    "paused": ("暂停计时", "clock paused"),
    "resumed": ("恢复计时", "clock resumed"),
    "solved": ("回访：已解决", "call-back: solved"),
    "unsolved": ("回访：未解决", "call-back: not solved"),
    "called_out": ("紧急处置", "called out"),
    "hazard": ("安全隐患", "hazard"),
    "hazard_ended": ("隐患解除", "hazard ended"),
    "not_accepted": ("不予受理（已告知法定途径）", "not accepted, told the legal route"),
    "merged": ("已并入", "merged"),
    "withdrawn": ("反映人撤回", "withdrawn"),
    "terminated": ("终止", "terminated"),
    "reported_again": ("再次反映", "reported again"),
}
