"""Electronic parts of KiCad (Debian kicad-packages3d): a few of each family that a person can name.

Most of the package is CC-BY-SA-4.0 with an exception for designs made with it; files that its copyright file puts
under another licence are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.mesh import sample_surface
from clip3d.data.captions import with_synonyms
from clip3d.data.library import Entry
from clip3d.data.licences import Copyright
from clip3d.data.packages import deb_files
from clip3d.data.wrl import read_wrl
from clip3d.errors import DataError, ShapeError

PACKAGE = "kicad-packages3d"
COPYRIGHT = f"usr/share/doc/{PACKAGE}/copyright"
FOLDER = "usr/share/kicad/3dmodels/"

# Pattern of the path below the folder, how many of those that match are taken (evenly over the sorted names, since
# names count pins and sizes), and their captions.
FAMILIES = (
    ("Battery.*/BatteryHolder_*AA*", 4, "battery holder|AA battery holder"),
    ("Battery.*/BatteryHolder_*18650*", 2, "battery holder"),
    ("Battery.*/BatteryHolder_Keystone_*20*", 3, "coin cell holder|battery holder"),
    ("Battery.*/Battery_CR*", 1, "coin cell|button battery|battery"),
    ("Button_Switch_THT.*/SW_DIP_SPSTx*_Slide*", 3, "DIP switch|switch"),
    ("Button_Switch_THT.*/SW_PUSH*", 2, "push button|button|tactile switch"),
    ("Button_Switch_THT.*/SW_Tactile*", 2, "push button|button|tactile switch"),
    ("Button_Switch_SMD.*/SW_SPST_[CFPS]*", 3, "push button|button|tactile switch"),
    ("Button_Switch_THT.*/SW_CuK*", 2, "slide switch|switch"),
    ("Buzzer_Beeper.*/*Buzzer*", 5, "buzzer|beeper"),
    ("Capacitor_THT.*/CP_Radial_D*", 5, "electrolytic capacitor|capacitor|electronic component"),
    ("Capacitor_THT.*/CP_Axial*", 2, "axial capacitor|capacitor|electronic component"),
    ("Capacitor_THT.*/C_Disc*", 3, "ceramic capacitor|disc capacitor|capacitor|electronic component"),
    ("Capacitor_THT.*/C_Rect*", 4, "film capacitor|capacitor|electronic component"),
    ("Capacitor_SMD.*/CP_Elec*", 3, "electrolytic capacitor|capacitor|electronic component"),
    ("Capacitor_SMD.*/C_[012]*", 2, "surface mount capacitor|chip capacitor|capacitor"),
    ("Connector_AMASS.*/*", 2, "battery connector|power connector|connector"),
    ("Connector_BarrelJack.*/*", 2, "power jack|barrel jack|connector"),
    ("Connector_Card.*/microSD*", 1, "memory card slot|micro SD card slot"),
    ("Connector_Coaxial.*/SMA*", 2, "coaxial connector|antenna connector|connector"),
    ("Connector_Dsub.*/DSUB-9_*Housed*", 2, "serial port connector|D-sub connector|connector"),
    ("Connector_Dsub.*/DSUB-25_*Vertical*", 2, "D-sub connector|parallel port connector|connector"),
    ("Connector_FFC-FPC.*/TE*", 3, "ribbon cable connector|flat cable connector|connector"),
    ("Connector_HDMI.*/*", 1, "HDMI connector|HDMI port|connector"),
    ("Connector_IDC.*/IDC-Header*", 3, "box header|ribbon cable connector|connector"),
    ("Connector_JST.*/JST_[PX]H_*", 3, "wire connector|plug connector|connector"),
    ("Connector_Molex.*/Molex_KK*", 3, "wire connector|plug connector|connector"),
    ("*_2.54mm.*/PinHeader_1x[0-2][2-9]_P2.54mm_Vertical", 3, "pin header|header|connector"),
    ("*_2.54mm.*/PinHeader_2x[0-2][3-9]_P2.54mm_Vertical", 2, "pin header|header|connector"),
    ("*_2.54mm.*/PinHeader_1x[0-2][3-9]_P2.54mm_Horizontal", 2, "angled pin header|pin header|connector"),
    ("*_2.54mm.*/PinSocket_1x[0-2][4-9]_P2.54mm_Vertical", 3, "pin socket|female header|connector"),
    ("*_2.54mm.*/PinSocket_2x[0-2][4-9]_P2.54mm_Vertical", 2, "pin socket|female header|connector"),
    ("Connector_RJ.*/*", 1, "network socket|ethernet jack|RJ45 connector|connector"),
    ("Connector_SATA_SAS.*/*", 1, "SATA connector|connector"),
    ("Connector_USB.*/USB_A*", 1, "USB port|USB connector|USB socket"),
    ("Connector_USB.*/USB_C*", 2, "USB-C port|USB connector|USB socket"),
    ("Connector_USB.*/USB_M*", 2, "micro USB port|USB connector|USB socket"),
    ("Converter_ACDC.*/*THT", 3, "power supply module|power module"),
    ("Crystal.*/Crystal_HC49*", 3, "quartz crystal|crystal oscillator|electronic component"),
    ("Crystal.*/Crystal_AT*", 1, "quartz crystal|crystal oscillator|electronic component"),
    ("Diode_THT.*/D_DO-*_Horizontal", 4, "diode|electronic component"),
    ("Diode_SMD.*/D_SM[ABC]", 2, "surface mount diode|diode|electronic component"),
    ("Diode_THT.*/Diode_Bridge_*", 4, "bridge rectifier|rectifier|electronic component"),
    ("Display.*/EA_eDIPTFT*", 3, "display module|LCD screen|screen"),
    ("Display.*/*1602*", 3, "LCD display|character display|screen"),
    ("Display.*/Adafruit*", 1, "display module|OLED display|screen"),
    ("Display_7Segment.*/*", 6, "seven-segment display|digit display|LED display"),
    ("Fuse.*/Fuse_BelFuse*", 2, "resettable fuse|fuse"),
    ("Fuse.*/Fuseholder_Cylinder*", 4, "fuse holder|fuse"),
    ("Fuse.*/Fuseholder_Blade*", 1, "fuse holder|fuse"),
    ("Heatsink.*/*", 3, "heat sink|radiator fins"),
    ("Inductor_THT.*/L_*Toroid*", 4, "toroidal inductor|coil|inductor"),
    ("Inductor_THT.*/L_Radial_D*", 4, "inductor|coil|electronic component"),
    ("Inductor_THT.*/L_Axial*Horizontal*", 2, "axial inductor|inductor|electronic component"),
    ("Inductor_SMD.*/L_[TW]*", 3, "power inductor|inductor|electronic component"),
    ("LED_THT.*/LED_D[358]*.0mm", 3, "LED|light emitting diode|indicator light"),
    ("LED_THT.*/LED_D5.0mm_Horizontal*", 2, "LED|light emitting diode|indicator light"),
    ("LED_THT.*/LED_D*-[34]*", 2, "LED|light emitting diode|indicator light"),
    ("LED_THT.*/LED_Rect*", 2, "rectangular LED|LED|light emitting diode"),
    ("LED_SMD.*/LED_*5.0x5.0*", 2, "surface mount LED|LED|light emitting diode"),
    ("Module.*/*", 1, "microcontroller board|circuit board"),
    ("Mounting_Wuerth.*/*WA-SMSI-M3*", 3, "spacer|threaded spacer|nut"),
    ("OptoDevice.*/R_LDR*", 3, "light sensor|photoresistor|electronic component"),
    ("Package_BGA.*/BGA-*", 3, "processor chip|integrated circuit chip|chip"),
    ("Package_DIP.*/DIP-*W7.62mm", 5, "integrated circuit chip|chip|DIP chip|microchip"),
    ("Package_DIP.*/DIP-*W15.24mm", 3, "integrated circuit chip|chip|DIP chip|microchip"),
    ("Package_DIP.*/DIP-*W*_Socket", 3, "chip socket|IC socket"),
    ("Package_QFP.*/*QFP-*", 5, "integrated circuit chip|chip|microcontroller chip|microchip"),
    ("Package_SO.*/SO*", 4, "integrated circuit chip|chip|microchip"),
    ("Package_SO.*/TS*", 3, "integrated circuit chip|chip|microchip"),
    ("Package_DFN_QFN.*/QFN-*", 3, "integrated circuit chip|chip|microchip"),
    ("Package_TO_SOT_THT.*/TO-220-3_Vertical", 1, "power transistor|transistor|voltage regulator"),
    ("Package_TO_SOT_THT.*/TO-220-3_Horizontal*", 1, "power transistor|transistor|voltage regulator"),
    ("Package_TO_SOT_THT.*/TO-2[46][0-9]-3_Vertical", 2, "power transistor|transistor"),
    ("Package_TO_SOT_THT.*/TO-92*", 3, "transistor|electronic component"),
    ("Package_TO_SOT_THT.*/TO-[35]-*", 2, "metal can transistor|transistor"),
    ("Package_TO_SOT_SMD.*/SOT-23*", 2, "surface mount transistor|transistor"),
    ("Potentiometer_THT.*/*", 5, "trimmer potentiometer|potentiometer|variable resistor"),
    ("RF_Module.*/*", 4, "wireless module|radio module|circuit board"),
    ("Relay_THT.*/Relay_*Finder*", 3, "relay|electronic component"),
    ("Relay_THT.*/Relay_*[OPS][mac]*", 4, "relay|electronic component"),
    ("Resistor_THT.*/R_Axial_DIN*_Horizontal", 4, "resistor|axial resistor|electronic component"),
    ("Resistor_THT.*/R_Axial_Power*", 2, "power resistor|resistor|electronic component"),
    ("Resistor_THT.*/R_Axial_DIN*_Vertical", 2, "resistor|axial resistor|electronic component"),
    ("Resistor_THT.*/R_Array*", 2, "resistor network|resistor array|electronic component"),
    ("Resistor_SMD.*/R_[012]*", 3, "surface mount resistor|chip resistor|resistor"),
    ("Sensor.*/*DHT11*", 1, "humidity sensor|temperature sensor|sensor"),
    ("TerminalBlock_Altech.*/*", 2, "terminal block|screw terminal|connector"),
    ("TerminalBlock_Phoenix.*/*", 4, "terminal block|screw terminal|connector"),
    ("Connector_Phoenix_MSTB.*/*", 2, "terminal block plug|terminal block|connector"),
    ("Transformer_THT.*/Transformer_CHK*", 3, "transformer|electrical transformer"),
    ("Transformer_THT.*/Transformer_Breve*", 2, "transformer|electrical transformer"),
    ("Transformer_THT.*/Transformer_NF*", 1, "transformer|electrical transformer"),
    ("Valve.*/*", 1, "vacuum tube|electron tube"),
    ("Varistor.*/*", 2, "varistor|disc varistor|electronic component"),
)


def read_kicad(package: Path, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """A few parts of each nameable family as dense clouds with their captions.

    Args:
        package: the .deb.
        points: sampled on each surface.
        progress: called with a line at the start and for each part that cannot be used.

    Raises:
        DataError: if the package holds no parts or no copyright file.
    """
    names, terms = _contents(package)
    chosen = _chosen(names, terms)
    progress(f"{PACKAGE}: {len(chosen)} of {len(names)} parts")
    for name, stream in deb_files(package, keep=lambda n: n.removeprefix(FOLDER) in chosen):
        path = name.removeprefix(FOLDER)
        try:
            sample = sample_surface(read_wrl(stream.read()), points)
        except (Malformed, ShapeError) as error:
            progress(f"{PACKAGE}: {path} passed over: {error}")
            continue
        found = terms.of(path)
        yield Entry(
            cloud=PointCloud(sample.points, sample.colors, sample.normals, up="z"),
            captions=with_synonyms(chosen[path].split("|")),
            name=f"kicad/{PurePosixPath(path).with_suffix('')}",
            source=f"{PACKAGE} by {found.holders if found else 'KiCad Community'}",
            licence=found.licence if found else "",
        )


def _contents(package: Path) -> tuple[list[str], Copyright]:
    """Paths of all parts below the folder, and the terms of each."""
    names: list[str] = []
    text = None

    def keep(name: str) -> bool:
        if name.startswith(FOLDER) and name.endswith(".wrl"):
            names.append(name.removeprefix(FOLDER))
        return name == COPYRIGHT

    for _, stream in deb_files(package, keep=keep):
        text = stream.read().decode("utf-8", "replace")
    if text is None or not names:
        raise DataError(package, f"holds no {COPYRIGHT} or no parts", f"bring {PACKAGE} 6.0")
    return sorted(names), Copyright(text)


def _chosen(names: list[str], terms: Copyright) -> dict[str, str]:
    """Captions by path of the parts that are taken."""
    chosen: dict[str, str] = {}
    usable = [name for name in names if (found := terms.of(name)) is not None and found.is_open]
    for pattern, count, captions in FAMILIES:
        found_names = [name for name in usable if fnmatchcase(name, f"{pattern}.wrl") and name not in chosen]
        step = max(1.0, len(found_names) / count)
        for number in range(min(count, len(found_names))):
            chosen[found_names[int(number * step)]] = captions
    return chosen
