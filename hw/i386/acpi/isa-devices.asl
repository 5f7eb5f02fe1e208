/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chips at fixed ports: included in the device of the ISA bridge. */
PATCHED (COMP)              // bit per COM port that exists
PATCHED (PVPP)              // pvpanic's port, 0: it does not exist

Method (COMS, 1)
{
    If (COMP & Arg0) {
        Return (0x0f)
    }
    Return (0)
}

Device (RTC)
{
    Name (_HID, EisaId ("PNP0B00"))
    Name (_CRS, ResourceTemplate () {
        IO (Decode16, 0x70, 0x70, 1, 2)
        IRQNoFlags () {8}
    })
}

Device (PIT)
{
    Name (_HID, EisaId ("PNP0100"))
    Name (_CRS, ResourceTemplate () {
        IO (Decode16, 0x40, 0x40, 1, 4)
        IRQNoFlags () {0}
    })
}

Device (COM1)
{
    Name (_HID, EisaId ("PNP0501"))
    Name (_UID, 1)
    Name (_CRS, ResourceTemplate () {
        IO (Decode16, 0x3f8, 0x3f8, 1, 8)
        IRQNoFlags () {4}
    })
    Method (_STA) { Return (COMS (1)) }
}

Device (COM2)
{
    Name (_HID, EisaId ("PNP0501"))
    Name (_UID, 2)
    Name (_CRS, ResourceTemplate () {
        IO (Decode16, 0x2f8, 0x2f8, 1, 8)
        IRQNoFlags () {3}
    })
    Method (_STA) { Return (COMS (2)) }
}

Device (COM3)
{
    Name (_HID, EisaId ("PNP0501"))
    Name (_UID, 3)
    Name (_CRS, ResourceTemplate () {
        IO (Decode16, 0x3e8, 0x3e8, 1, 8)
        IRQNoFlags () {4}
    })
    Method (_STA) { Return (COMS (4)) }
}

Device (COM4)
{
    Name (_HID, EisaId ("PNP0501"))
    Name (_UID, 4)
    Name (_CRS, ResourceTemplate () {
        IO (Decode16, 0x2e8, 0x2e8, 1, 8)
        IRQNoFlags () {3}
    })
    Method (_STA) { Return (COMS (8)) }
}

Device (PEVT)
{
    Name (_HID, "QEMU0001")
    Method (_CRS, 0, Serialized)
    {
        Name (CRS, ResourceTemplate () {
            IO (Decode16, 0, 0, 1, 1, PORT)
        })
        CreateWordField (CRS, PORT._MIN, NPRT)
        CreateWordField (CRS, PORT._MAX, XPRT)
        NPRT = PVPP
        XPRT = PVPP
        Return (CRS)
    }
    Method (_STA)
    {
        If (PVPP) {
            Return (0x0f)
        }
        Return (0)
    }
}
