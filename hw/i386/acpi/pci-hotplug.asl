/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot plug of the root bus's slots: included in Device (PCI0).  The registers
 * are hw/acpi/pcihp.c's; slots 0 and 1 have the chipset.
 */
OperationRegion (HPR, SystemIO, 0xae00, 0x14)
Field (HPR, DWordAcc, NoLock, WriteAsZeros)
{
    HPUP, 32,               // got a card; reading clears
    HPDN, 32,               // are to let their card go
    HPEJ, 32,               // writing a one ejects
    HPCP, 32,
    HPBS, 32                // bus that the others are about
}
Mutex (HPMX, 0)             // the selected bus and what is done about it

Method (HPDO, 1, Serialized)
{
    Acquire (HPMX, 0xffff)
    HPBS = 0
    HPEJ = 1 << Arg0
    Release (HPMX)
}

#define HOT_SLOT(NAME, NR)                                              \
    Device (NAME) {                                                     \
        Name (_ADR, NR << 16)                                           \
        Name (_SUN, NR)                                                 \
        Method (_EJ0, 1) { HPDO (NR) }                                  \
    }
#define HOT_NOTIFY(NAME, NR)                                            \
    If (Local0 & (1 << NR)) { Notify (NAME, 1) }                        \
    If (Local1 & (1 << NR)) { Notify (NAME, 3) }

HOT_SLOT (SL02, 2)
HOT_SLOT (SL03, 3)
HOT_SLOT (SL04, 4)
HOT_SLOT (SL05, 5)
HOT_SLOT (SL06, 6)
HOT_SLOT (SL07, 7)
HOT_SLOT (SL08, 8)
HOT_SLOT (SL09, 9)
HOT_SLOT (SL0A, 10)
HOT_SLOT (SL0B, 11)
HOT_SLOT (SL0C, 12)
HOT_SLOT (SL0D, 13)
HOT_SLOT (SL0E, 14)
HOT_SLOT (SL0F, 15)
HOT_SLOT (SL10, 16)
HOT_SLOT (SL11, 17)
HOT_SLOT (SL12, 18)
HOT_SLOT (SL13, 19)
HOT_SLOT (SL14, 20)
HOT_SLOT (SL15, 21)
HOT_SLOT (SL16, 22)
HOT_SLOT (SL17, 23)
HOT_SLOT (SL18, 24)
HOT_SLOT (SL19, 25)
HOT_SLOT (SL1A, 26)
HOT_SLOT (SL1B, 27)
HOT_SLOT (SL1C, 28)
HOT_SLOT (SL1D, 29)
HOT_SLOT (SL1E, 30)
HOT_SLOT (SL1F, 31)

/* The event: device check for cards that came, eject request for the others. */
Method (HPEV, 0, Serialized)
{
    Acquire (HPMX, 0xffff)
    HPBS = 0
    Local0 = HPUP
    Local1 = HPDN
    Release (HPMX)
    HOT_NOTIFY (SL02, 2)
    HOT_NOTIFY (SL03, 3)
    HOT_NOTIFY (SL04, 4)
    HOT_NOTIFY (SL05, 5)
    HOT_NOTIFY (SL06, 6)
    HOT_NOTIFY (SL07, 7)
    HOT_NOTIFY (SL08, 8)
    HOT_NOTIFY (SL09, 9)
    HOT_NOTIFY (SL0A, 10)
    HOT_NOTIFY (SL0B, 11)
    HOT_NOTIFY (SL0C, 12)
    HOT_NOTIFY (SL0D, 13)
    HOT_NOTIFY (SL0E, 14)
    HOT_NOTIFY (SL0F, 15)
    HOT_NOTIFY (SL10, 16)
    HOT_NOTIFY (SL11, 17)
    HOT_NOTIFY (SL12, 18)
    HOT_NOTIFY (SL13, 19)
    HOT_NOTIFY (SL14, 20)
    HOT_NOTIFY (SL15, 21)
    HOT_NOTIFY (SL16, 22)
    HOT_NOTIFY (SL17, 23)
    HOT_NOTIFY (SL18, 24)
    HOT_NOTIFY (SL19, 25)
    HOT_NOTIFY (SL1A, 26)
    HOT_NOTIFY (SL1B, 27)
    HOT_NOTIFY (SL1C, 28)
    HOT_NOTIFY (SL1D, 29)
    HOT_NOTIFY (SL1E, 30)
    HOT_NOTIFY (SL1F, 31)
}
