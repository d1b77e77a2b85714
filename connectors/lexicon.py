"""The words behind the cues, by cue, parted by bars. A change is a new LEXICON_VERSION; old text is not read again."""

EMERGENCIES: dict[str, str] = {
    "GAS": (
        "燃气异味|燃气味|煤气味|天然气味|液化气味|瓦斯味|漏气|漏煤气|漏燃气|燃气泄漏|煤气泄漏|天然气泄漏|"
        "燃气泄露|煤气泄露|天然气泄露|gas leak|gas leaking|leaking gas|smell of gas|gas smell|smell gas|"
        "smells of gas|smelling gas|odor of gas|gas odor|gas odour"
    ),
    "FIRE": (
        "冒烟|冒浓烟|浓烟|着火|起火|失火|火灾|爆炸|爆燃|明火|烧起来|on fire|smoke coming|smoking wire|"
        "heavy smoke|flames|explosion|exploded|caught fire|building fire|house fire|smoke from"
    ),
    "TRAPPED": (
        "被困|困在电梯|电梯困人|困人|困住|出不来|trapped|stuck in the elevator|stuck in elevator|"
        "stuck in the lift|entrapment"
    ),
    "COLLAPSE": (
        "坍塌|塌陷|塌方|倒塌|垮塌|路面塌|地面塌|裂缝扩大|裂缝变大|裂缝变宽|滑坡|滚石|collapse|collapsed|"
        "collapsing|cave-in|cave in|caved in|sinkhole|landslide|crack widening|cracks widening"
    ),
    "WATER_RISING": (
        "水位上涨|水位暴涨|水位上升|水还在涨|决口|溃堤|漫堤|管涌|water rising|water is rising|rising water|"
        "flash flood|levee"
    ),
    "ELECTRIC": (
        "漏电|触电|电线掉落|电线断落|电线垂落|电线脱落|冒火花|电火花|打火花|electric shock|electrocuted|"
        "electrocution|wire down|wires down|downed wire|downed wires|live wire|live wires|exposed wires|sparking|"
        "power line down"
    ),
    "POISON": (
        "中毒|危化品泄漏|危化品泄露|危险化学品泄漏|毒气|氨气泄漏|氯气泄漏|poisoned|poisoning|carbon monoxide|"
        "chemical spill|hazmat|toxic fumes|chemical leak"
    ),
    "MANHOLE": (
        "井盖缺失|井盖丢失|井盖不见|井盖没了|井盖被偷|没有井盖|无井盖|缺井盖|少井盖|缺少井盖|井口敞开|井盖掉|"
        "missing manhole|manhole cover missing|manhole missing|open manhole|manhole cover is missing|"
        "uncovered manhole"
    ),
    "DROWNING": (
        "溺水|落水|掉进河|掉到河|掉入水|drowning|drowned|fell in the river|fell into the river|fell into the water"
    ),
}

RISKS: dict[str, str] = {
    "RISK": (
        "越来越大|越来越重|越来越浓|越来越宽|越来越严重|还在涨|不断上涨|比昨天宽|比昨天大|冒火花|出不来|随时会|"
        "随时可能|随时要|有人受伤|快要倒|快要塌|快塌|快倒了|摇摇欲坠|要出人命|生命危险|危及生命|命悬|紧急求助|"
        "getting worse|getting stronger|getting bigger|about to collapse|about to fall|life-threatening|"
        "someone is hurt|people are hurt|injured|immediate danger|any minute|can't get out|cannot get out"
    ),
}

REPLIES: dict[str, str] = {
    "ON_SITE": (
        "到场|到现场|到达现场|赶到|赶赴|抵达|现场核查|现场查看|现场核实|现场勘查|现场检查|现场复看|现场处置|"
        "现场踏勘|上门|前往|实地|入户|核查|on site|on-site|onsite|arrived|visited|inspected|inspector visited|"
        "crew went|attended|site visit"
    ),
    "FOUND": (
        "查明|经查|经核查|经核实|经检查|经检测|经勘查|经排查|情况属实|基本属实|不属实|原因是|原因为|原因系|系因|"
        "所致|造成的|导致的|发现|found|confirmed|determined|caused by|due to|identified|verified that"
    ),
    "MEASURE": (
        "更换|维修|修复|疏通|清掏|清理|清运|清除|清扫|拆除|责令|围护|围挡|补划|安装|加固|查处|处罚|立案|约谈|"
        "劝离|转移|抢修|关阀|停气|抽排|排险|测温|补足|公示|回填|夯填|下达|责成|封闭|警示|调试|调解|整治|取缔|"
        "签订|退还|补发|支付|repaired|replaced|cleared|removed|installed|cleaned|fixed|patched|towed|issued a|"
        "cited|fined|sealed|shut off|barricaded|filled|painted|collected|trimmed"
    ),
    "RESULT": (
        "已解决|已修复|已恢复|恢复正常|恢复供|恢复平整|已到账|已不积水|不再|未见|合格|已消除|已清理完|已清扫|"
        "已完成|整改完成|整改到位|已办结|处理完毕|达标|已畅通|已通水|已通电|运行正常|测温|resolved|restored|"
        "working again|now working|back to normal|no longer|is complete|completed|case closed|all clear|"
        "passed inspection"
    ),
    "BY_WHEN": "限期|期限为|预计完成|完成时限|deadline|expected completion|scheduled for|due by",
    "FOLLOW_UP": (
        "负责跟进|继续跟进|跟进|后续由|后续将|负责人|责任单位|责任人|专人负责|由其负责|牵头负责|回访|加大巡查|"
        "持续关注|负责，|负责后续|继续关注|联系人|follow up|following up|follow-up|responsible for|assigned to|"
        "will monitor|point of contact|re-inspect|reinspect"
    ),
}
