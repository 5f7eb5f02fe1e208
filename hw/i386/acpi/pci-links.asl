/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Methods of the link devices: included in Scope (_SB). */
Method (LSTA, 1)
{
    If (Arg0 & 0x80) {
        Return (0x09)
    }
    Return (0x0b)
}

Method (LCRS, 1, Serialized)
{
    Name (CRS, ResourceTemplate () {
        Interrupt (, Level, ActiveHigh, Shared, , , INT) {0}
    })
    CreateDWordField (CRS, INT._INT, IRQ)
    If (Arg0 < 0x80) {
        IRQ = Arg0
    }
    Return (CRS)
}

/* The line that a buffer for _SRS names. */
Method (LIRQ, 1, Serialized)
{
    CreateDWordField (Arg0, 5, IRQ)
    Return (IRQ & 0x0f)
}
