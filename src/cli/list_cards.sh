# Lists this machine's graphics cards (PCI class 03) in a variable, on Linux: ` 0000:01:00.0=0x10de:0x2330 …`.
INFOFLOW_CARDS=
for card in /sys/bus/pci/devices/*; do
  { read -r class <"$card/class" && read -r vendor <"$card/vendor" && read -r device <"$card/device"; } 2>/dev/null ||
    continue
  case $class in 0x03*) INFOFLOW_CARDS="$INFOFLOW_CARDS ${card##*/}=$vendor:$device" ;; esac
done
export INFOFLOW_CARDS
