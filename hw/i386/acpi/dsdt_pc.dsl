/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DSDT of the i440FX machine: one PCI root, the PIIX3's PIRQ router and the
 * chips behind its ISA bridge.
 *
 * Interrupts: pin p of slot s goes to PIRQ (s + p - 1) mod 4, which is routed
 * to an ISA line, with the IO-APIC in use as well.  Function 3 of slot 1,
 * power management, has line 9.
 */
#include "macros.asl"

DefinitionBlock ("", "DSDT", 2, "MPQEMU", "MPQEPC", 1)
{
    Name (_S5, Package () {0, 0, 0, 0})

    Scope (_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_BBN, 0)
#include "pci-host.asl"

            Device (ISA)
            {
                Name (_ADR, 0x00010000)
                OperationRegion (PIRQ, PCI_Config, 0x60, 4)
                Field (PIRQ, ByteAcc, NoLock, Preserve)
                {
                    PRQA, 8, PRQB, 8, PRQC, 8, PRQD, 8
                }
#include "isa-devices.asl"
            }
#include "pci-hotplug.asl"

            Name (_PRT, Package () {
                SLOT (0x0000ffff, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0001ffff, LNKS, LNKB, LNKC, LNKD),
                SLOT (0x0002ffff, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x0003ffff, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x0004ffff, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0005ffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x0006ffff, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x0007ffff, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x0008ffff, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0009ffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x000affff, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x000bffff, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x000cffff, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x000dffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x000effff, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x000fffff, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x0010ffff, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0011ffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x0012ffff, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x0013ffff, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x0014ffff, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0015ffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x0016ffff, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x0017ffff, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x0018ffff, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x0019ffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x001affff, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x001bffff, LNKC, LNKD, LNKA, LNKB),
                SLOT (0x001cffff, LNKD, LNKA, LNKB, LNKC),
                SLOT (0x001dffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x001effff, LNKB, LNKC, LNKD, LNKA),
                SLOT (0x001fffff, LNKC, LNKD, LNKA, LNKB)
            })
        }

#include "pci-links.asl"
        LINK (LNKA, 0, \_SB.PCI0.ISA.PRQA)
        LINK (LNKB, 1, \_SB.PCI0.ISA.PRQB)
        LINK (LNKC, 2, \_SB.PCI0.ISA.PRQC)
        LINK (LNKD, 3, \_SB.PCI0.ISA.PRQD)
        FIXED_LINK (LNKS, 4, 9)

        /* Ranges that no device may be given. */
        Device (MBRD)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate () {
                IO (Decode16, 0x92, 0x92, 1, 1)
                IO (Decode16, 0xb2, 0xb2, 1, 2)
                IO (Decode16, 0x510, 0x510, 1, 12)                  // fw_cfg
                IO (Decode16, 0x600, 0x600, 1, 0x40)                // PMBASE
                IO (Decode16, 0xae00, 0xae00, 1, 0x14)              // hot plug
                IO (Decode16, 0xafe0, 0xafe0, 1, 4)                 // GPE0
            })
        }
    }

    Scope (_GPE)
    {
        Method (_E01) { \_SB.PCI0.HPEV () }
    }
}
