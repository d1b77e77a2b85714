"""Words and shapes of values by which a column is told for what it is, Chinese and English. They only propose."""

PERSONAL = (
    "姓名 电话 手机 身份证 联系人 联系方式 来电人 办理人 经办人 处理人 受理人 工号 phone tel telephone mobile caller "
    "applicant reporter operator staff email mail idcard requester assignee surname firstname lastname"
)
PERSONAL_VALUES = r"(?:\+?86[- ]?)?1[3-9]\d{9}$|\d{17}[\dXx]$|\d{3,4}-\d{7,8}$|[\w.+-]+@[\w-]+\.\w+$"
ID_NAMES = "编号 单号 工单号 流水号 序号 号 案件号 id no number nr ref reference ticket case key code uuid"
MATTER_NAMES = "工单 案件 事项编号 事件编号 诉求编号 工单号 matter ticket case request incident order"
STEP_NAMES = "状态 环节 步骤 节点 动作 操作 阶段 进度 status state step stage event action activity phase"
SENSOR_NAMES = "sensor device 设备 传感器 编号 id"
VALUE_NAMES = "value reading measurement 值 读数 数值"
NAMES = {
    "category": "类别 类型 分类 事项类型 问题类型 category type kind class topic subject",
    "channel": "渠道 来源 方式 途径 channel source origin medium via",
    "office": "单位 部门 承办 主办 责任 机构 处室 office department agency unit team group assigned owner division "
    "bureau",
    "place": "地址 地点 位置 街道 社区 网格 区域 乡镇 address location place street district neighborhood "
    "neighbourhood area site ward grid town",
    "text": "内容 描述 诉求 详情 摘要 标题 content text description summary details message body complaint",
    "due": "期限 截止 时限 应办结 到期 最迟 due deadline sla target expected limit",
}
"""Words in the name of a column, by role."""
LATE_NAMES = (
    "状态 结果 是否 超期 满意 办结 原因 status state result outcome closure closed overdue made late satisfied "
    "resolution"
)
"""Names of columns that are mostly written at the end of a matter: none of them is proposed as an attribute."""
VALUES = {
    "channel": r".*(电话|热线|微信|网站|网络|小程序|来访|来信|短信|\bapp\b|\bphone\b|\bcall\b|\bweb\b|\bemail\b"
    r"|\bportal\b|\bwalk)",
    "office": r".*(局|委|办|中心|大队|公司|所|站|处|办事处|委员会)$|.*\b(department|dept|office|bureau|division"
    r"|services|works|agency|authority|team)\b",
    "place": r".*(街道|镇|乡|村|社区|路|巷|号|网格|小区|区|县|市)|.*\b(st|street|ave|avenue|rd|road|lane|ln|blvd"
    r"|square|ward|district|grid)\b",
}
"""What values look like, by role (case ignored)."""
