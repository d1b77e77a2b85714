"""Kinds of simulated sensors: usual values, rhythms, answer to rain, limits of the device (typical figures)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """A quantity that a kind of sensor measures.

    `prefix` begins the ids of its sensors (S02-CO-...). `possible`: the range outside which the device is at fault;
    `alarm`: its hazard limit, held for `held_s`; `rises`: whether danger lies above. `rain`: rise of the value for each
    millimetre of the last hours; `digits` it shows; `factor` by which a wrong unit changes it.
    """

    prefix: str
    zh: str
    en: str
    unit: str
    interval_s: int
    level: float
    swing: float
    noise: float
    possible: tuple[float, float]
    alarm: float
    held_s: int = 0
    rises: bool = True
    rain: float = 0.0
    digits: int = 2
    factor: float = 0.5

    @property
    def kind(self) -> str:
        """S01 to S08, as numbered in the catalogue."""
        return self.prefix[:3]


_GAS = Device("S01", "地下管网可燃气体", "Combustible gas", "%LEL", 60, 2.0, 0.5, 0.6, (-5, 100), 50.0, 30, digits=1)
_H2S = Device("S02-H2S", "硫化氢", "Hydrogen sulphide", "mg/m³", 60, 0.8, 0.2, 0.25, (-1, 150), 20.0, factor=0.71)
_CO = Device("S02-CO", "一氧化碳", "Carbon monoxide", "mg/m³", 60, 4.0, 1.5, 0.8, (-2, 600), 30.0, factor=0.87)
_O2 = Device("S02-O2", "氧含量", "Oxygen", "%VOL", 60, 20.9, 0.05, 0.06, (0, 30), 19.5, rises=False, factor=0.1)
_FIRE = Device("S03", "火灾探测状态", "Fire detection state", "", 86_400, 0.0, 0.0, 0.0, (-1, 9), 1.5, digits=0)
_CURRENT = Device("S04-MA", "剩余电流", "Residual current", "mA", 60, 110.0, 25.0, 8.0, (0, 2000), 500.0, digits=1)
_CABLE = Device("S04-C", "线缆温度", "Cable temperature", "℃", 60, 34.0, 6.0, 1.0, (-40, 300), 90.0, factor=1.8)
_PRESSURE = Device(
    "S05-MPA", "消防管网水压", "Fire-water pressure", "MPa", 300, 0.42, 0.03, 0.012, (-0.05, 1.6), 0.07,
    rises=False, digits=3, factor=10.0,
)  # fmt: skip
_TANK = Device(
    "S05-M", "消防水箱水位", "Fire-tank level", "m", 300, 2.8, 0.1, 0.03, (-0.1, 6), 1.4, rises=False, factor=100.0
)
_RIVER = Device("S06", "河道水位", "River stage", "m", 300, 3.0, 0.05, 0.02, (0, 12), 4.5, rain=0.012, factor=100.0)
_ROAD = Device(
    "S07", "路面积水", "Water on the road", "cm", 60, 0.6, 0.0, 0.35, (-3, 300), 27.0, rain=0.15, factor=0.01
)
_RAIN = Device("S08", "雨量", "Rain", "mm/10min", 600, 0.02, 0.0, 0.015, (-1, 60), 12.0, rain=0.16, factor=0.1)

DEVICES = (
    _GAS, _H2S, _FIRE, _CURRENT, _PRESSURE, _RIVER, _ROAD, _RAIN, _GAS, _CO, _FIRE, _CABLE, _TANK, _RIVER, _ROAD, _O2,
)  # fmt: skip
"""Sensors are of these kinds by turns. The last digit of a rain gauge moves, or a dry month would look like a fault."""
