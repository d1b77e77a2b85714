"""Warnings in Chinese, as an official would write them: facts about duty, no verdicts, full-width punctuation."""

from datetime import datetime

from alerts.words import Words

_MINUTE = 60_000_000


def _moment(at: datetime, now: datetime) -> str:
    year = "" if at.year == now.year else f"{at.year}年"
    return f"{year}{at.month}月{at.day}日{at:%H:%M}"


def _span(us: int) -> str:
    minutes = max(0, us) // _MINUTE
    if minutes >= 2 * 1440:
        return f"{minutes // 1440}天"
    if minutes < 60:
        return f"{minutes}分钟"
    hours, rest = divmod(minutes, 60)
    return f"{hours}小时{rest}分钟" if rest and hours < 6 else f"{hours}小时"


def _percent(bp: int) -> str:
    if bp < 100:
        return "不足1%"
    return "99%以上" if bp > 9900 else f"{(bp + 50) // 100}%"


ZH = Words(
    levels=("无关注级", "蓝色关注", "黄色关注", "橙色关注", "红色关注"),
    facts={
        "risk": "{where}“{what}”事项{clock}，{horizon}{outcome}概率为{chance}{because}",
        "overdue": "{where}“{what}”事项已于{due}到期，已逾期{late}，尚未办结",
        "listed_overdue": "{where}“{what}”挂牌督办事项已于{due}到期，已逾期{late}，尚未办结",
        "due_soon": "{where}“{what}”事项距办理时限（{due}）还有{left}，时限已用{share}，存在逾期可能",
        "idle": "{where}“{what}”事项自{since}起已{days}天无办理记录{deadline}",
        "handed_over": "{where}“{what}”事项自{registered}登记以来转办{handovers}次、退单{returns}次",
        "returned": "{where}“{what}”事项自{registered}登记以来退单{returns}次、转办{handovers}次",
        "handed_over_only": "{where}“{what}”事项自{registered}登记以来转办{handovers}次",
        "returned_only": "{where}“{what}”事项自{registered}登记以来退单{returns}次",
        "vague_reply": "{where}“{what}”事项的答复要素不全，尚不能据此核实（自动比对结果，请人工核对）",
        "repeated": "{where}“{what}”同类问题在同一地点再次反映，可能需要重新办理",
        "reopened": "{where}“{what}”事项报结后重新办理",
        "emergency": "{where}“{what}”反映内容可能涉及人身安全（自动识别，请人工核对）",
        "hazard": "{where}“{what}”事项存在安全隐患，现场情况待核实",
        "surge": "近{window}，{where}“{what}”反映{count}件，约为同期常态的{times}倍，原因尚未核实",
        "abnormal_reading": "{where}感知设备读数异常（现为{value}，常态约{expected}），现场情况待核实",
        "out_of_range": "{where}感知设备读数超出限值（现为{value}），现场情况待核实",
        "stuck": "{where}感知设备读数长时间不变（一直为{value}），现状未知，不作“无异常”处理",
        "missing": "{where}感知设备已{silent}无读数（正常每{interval}一次），现状未知，不作“无异常”处理",
        "silent_source": "数据源“{source}”已{silent}无数据（正常每{interval}一次），现状未知，不作“无异常”处理",
        "rule": "{where}“{what}”达到规则“{rule}”的条件",
        "nothing": "{where}“{what}”目前没有提示理由",
    },
    rules={
        "base": "平均情况",
        "feature": "事项特征",
        "overdue": "已逾期",
        "due_soon": "即将到期",
        "idle": "久未推进",
        "handed_over": "多次转办",
        "returned": "多次退单",
        "vague_reply": "答复要素不全",
        "repeated": "同类问题再次反映",
        "reopened": "重新办理",
        "listed_overdue": "挂牌督办逾期",
        "emergency": "可能涉及人身安全",
        "hazard": "安全隐患",
        "surge": "同类集中多发",
        "abnormal_reading": "读数异常",
        "stuck": "读数长时间不变",
        "missing": "无读数",
        "out_of_range": "读数超出限值",
        "silent_source": "数据源中断",
        "reading": "读数异常",
        "duty": "办理职责",
    },
    asks={
        "designate": "目前未明确责任单位，请派单单位于{by}前指定承办单位。",
        "plan": "请{office}于{by}前反馈处置安排。",
        "late": "请{office}于{by}前反馈办理情况，并说明原因和下一步安排。",
        "progress": "请{office}于{by}前更新进展，或说明原因和下一步安排。",
        "holder": "请{office}于{by}前明确承办单位并反馈处置安排。",
        "elements": "请{office}于{by}前补充答复。",
        "at_once": "请{office}立即到场核实处置，30分钟内回报；危及人身安全的，立即拨打119。",
        "cause": "请{office}于{by}前查明原因并牵头处置。",
        "restore": "请{office}于{by}前恢复或说明原因，其间安排人工巡测。",
    },
    lives={
        "raised": "{fact}；{ask}{awaiting}",
        "confirmed": "已确认为{to}：{fact}；{ask}{awaiting}",
        "lapsed": "签收后逾期未更新：{fact}；{ask}{awaiting}",
        "reopened": "提示重新打开：{fact}；{ask}{awaiting}",
        "config_changed": "因配置调整重新评定，现为{to}：{fact}；{ask}{awaiting}",
        "assigned": "已指派{office}：{fact}；{ask}{awaiting}",
        "lowered": "{where}“{what}”关注级下调，由{from}调整为{to}；请{office}继续按期办理。",
        "withdrawn": "{where}“{what}”拟列关注级的依据已减弱，不再待确认，现为{to}。",
        "declined": "{where}“{what}”未予确认，现为{to}；理由：{reason}。",
        "acknowledged": "{where}“{what}”已由{office}签收，下次更新时间为{next_update}。",
        "noted": "{where}“{what}”已补充记录：{remark}。",
        "undone": "{where}“{what}”已撤销上一操作，承办单位为{office}。",
        "closed": "{where}“{what}”提示已关闭，结果：{outcome}。",
        "ended": "{where}“{what}”提示理由已不存在，提示自行结束。",
    },
    outcomes={
        "confirmed": "属实",
        "valuable": "有参考价值",
        "false_alarm": "未发生（误提示）",
        "late_but_true": "属实但提示偏晚",
        "already_known": "单位此前已掌握",
        "": "未填写",
    },
    targets={
        "late": "逾期",
        "handed_over": "多次转办",
        "returned": "多次退单",
        "reopened": "重新办理",
        "repeated": "同一地点同类问题再次反映",
        "unsatisfied": "回访未解决",
        "called_out": "需紧急处置",
        "other": "发生“{target}”",
    },
    features={
        "base": "同类事项的平均情况",
        "category": "同类事项“{value}”的以往办理情况",
        "place": "地点“{value}”的以往办理情况",
        "office": "承办单位“{value}”以往同类事项的办理情况",
        "channel": "反映渠道",
        "hour": "评估时刻为{value}时",
        "weekday": "评估当日为{value}",
        "allowed_h": "办理时限共{value}",
        "share": "时限已用{value}",
        "age_h": "登记至今{value}",
        "idle_h": "最近一次办理记录距今{value}",
        "handovers": "已转办{value}次",
        "returns": "已退单{value}次（异议成立的不计）",
        "reopens": "已重新办理{value}次",
        "steps": "已有办理记录{value}条",
        "reports": "关联反映{value}件",
        "cues": "文本要素{value}项",
        "spot_idle_h": "同一地点上一件同类事项距今{value}",
        "spot_30d": "同一地点近30天同类事项约{value}件",
        "spot_365d": "同一地点近一年同类事项约{value}件",
        "place_30d": "本地点近30天事项约{value}件",
        "category_7d": "近7天同类事项约{value}件",
        "office_open": "本单位在办量为{value}件",
        "office_7d": "本单位近7天新接约{value}件",
        "attribute": "“{attribute}”为{value}",
        "attribute_plain": "“{attribute}”的取值",
        "missing": "无“{attribute}”记录",
    },
    absent={
        "hour": "评估时刻不详",
        "weekday": "评估日期不详",
        "allowed_h": "未设办理时限",
        "share": "未设办理时限，无已用比例",
        "age_h": "登记时间不详",
        "idle_h": "尚无办理记录时间",
        "handovers": "转办次数不详",
        "returns": "退单次数不详",
        "reopens": "重新办理次数不详",
        "steps": "办理记录数不详",
        "reports": "关联反映数不详",
        "cues": "文本要素数不详",
        "spot_idle_h": "同一地点此前无同类事项",
        "spot_30d": "同一地点近30天同类事项数尚无统计",
        "spot_365d": "同一地点近一年同类事项数尚无统计",
        "place_30d": "本地点近30天事项数尚无统计",
        "category_7d": "近7天同类事项数尚无统计",
        "office_open": "本单位在办量尚无统计",
        "office_7d": "本单位近7天新接数尚无统计",
    },
    parts={
        "place": "{place}",
        "no_place": "未明确地点的",
        "whole_site": "全辖区",
        "no_category": "未明确类别",
        "no_office": "未明确责任单位",
        "left": "距办理时限（{due}）还有{left}",
        "over": "已超过办理时限（{due}）{late}",
        "no_clock": "未设时限，登记已{age}",
        "horizon": "未来{span}内",
        "because": "，主要提示理由为{reasons}",
        "deadline": "，办理时限于{due}届满",
        "orange": "拟列橙色关注，待确认。",
        "red_two": "拟列红色关注，待双人确认。",
        "red_one": "拟列红色关注，待第二人确认。",
        "up": "{reason}，使可能性上升（占{share}）",
        "down": "{reason}，使可能性下降（占{share}）",
        "rule": "{fact}",
        "unknown": "未说明",
        "caption": "内部关注级，非法定预警",
        "not_for_ranking": "不作为考核、问责、排名依据",
    },
    moment=_moment,
    span=_span,
    percent=_percent,
    weekdays=("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
    between="、",
)
