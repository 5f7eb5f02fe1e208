/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DSDT of the q35 machine: one PCI Express root, the ICH9's PIRQ router and
 * the chips behind its LPC bridge.
 *
 * Interrupts: pins of slots 0 to 24 go to PIRQ E to H in turn, those of 25 to
 * 31 to A to D (slot 30, where a PCI bridge was, to E to H); with the IO-APIC
 * in use, PIRQ A to H are its inputs 16 to 23.
 */
#include "macros.asl"

DefinitionBlock ("", "DSDT", 2, "MPQEMU", "MPQEQ35", 1)
{
    Name (PICF, 0)
    Method (_PIC, 1) { PICF = Arg0 }

    Name (_S5, Package () {0, 0, 0, 0})

    Scope (_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_BBN, 0)
            Name (_SEG, 0)
#include "pci-host.asl"

            /* Native hot plug, PME, AER and the capability structure itself
             * are the operating system's. */
            Method (_OSC, 4, Serialized)
            {
                CreateDWordField (Arg3, 0, STS)
                If (Arg0 != ToUUID ("33DB4D5B-1FF7-401C-9657-7441C03DD766")) {
                    STS |= 0x04
                    Return (Arg3)
                }
                CreateDWordField (Arg3, 8, CTRL)
                If (Arg1 != 1) {
                    STS |= 0x08
                }
                If (CTRL & ~0x1d) {
                    STS |= 0x10
                    CTRL &= 0x1d
                }
                Return (Arg3)
            }

            Device (ISA)
            {
                Name (_ADR, 0x001f0000)
                OperationRegion (PIRQ, PCI_Config, 0x60, 0x0c)
                Field (PIRQ, ByteAcc, NoLock, Preserve)
                {
                    PRQA, 8, PRQB, 8, PRQC, 8, PRQD, 8,
                    Offset (8),
                    PRQE, 8, PRQF, 8, PRQG, 8, PRQH, 8
                }
#include "isa-devices.asl"
            }

            Method (_PRT)
            {
                If (PICF) {
                    Return (PRTA)
                }
                Return (PRTP)
            }
            Name (PRTP, Package () {
                SLOT (0x0000ffff, LNKE, LNKF, LNKG, LNKH),
                SLOT (0x0001ffff, LNKF, LNKG, LNKH, LNKE),
                SLOT (0x0002ffff, LNKG, LNKH, LNKE, LNKF),
                SLOT (0x0003ffff, LNKH, LNKE, LNKF, LNKG),
                SLOT (0x0004ffff, LNKE, LNKF, LNKG, LNKH),
                SLOT (0x0005ffff, LNKF, LNKG, LNKH, LNKE),
                SLOT (0x0006ffff, LNKG, LNKH, LNKE, LNKF),
                SLOT (0x0007ffff, LNKH, LNKE, LNKF, LNKG),
                SLOT (0x0008ffff, LNKE, LNKF, LNKG, LNKH),
                SLOT (0x0009ffff, LNKF, LNKG, LNKH, LNKE),
                SLOT (0x000affff, LNKG, LNKH, LNKE, LNKF),
                SLOT (0x000bffff, LNKH, LNKE, LNKF, LNKG),
                SLOT (0x000cffff, LNKE, LNKF, LNKG, LNKH),
                SLOT (0x000dffff, LNKF, LNKG, LNKH, LNKE),
                SLOT (0x000effff, LNKG, LNKH, LNKE, LNKF),
                SLOT (0x000fffff, LNKH, LNKE, LNKF, LNKG),
                SLOT (0x0010ffff, LNKE, LNKF, LNKG, LNKH),
                SLOT (0x0011ffff, LNKF, LNKG, LNKH, LNKE),
                SLOT (0x0012ffff, LNKG, LNKH, LNKE, LNKF),
                SLOT (0x0013ffff, LNKH, LNKE, LNKF, LNKG),
                SLOT (0x0014ffff, LNKE, LNKF, LNKG, LNKH),
                SLOT (0x0015ffff, LNKF, LNKG, LNKH, LNKE),
                SLOT (0x0016ffff, LNKG, LNKH, LNKE, LNKF),
                SLOT (0x0017ffff, LNKH, LNKE, LNKF, LNKG),
                SLOT (0x0018ffff, LNKE, LNKF, LNKG, LNKH),
                SLOT (0x0019ffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x001affff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x001bffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x001cffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x001dffff, LNKA, LNKB, LNKC, LNKD),
                SLOT (0x001effff, LNKE, LNKF, LNKG, LNKH),
                SLOT (0x001fffff, LNKA, LNKB, LNKC, LNKD)
            })
            Name (PRTA, Package () {
                SLOT (0x0000ffff, GSIE, GSIF, GSIG, GSIH),
                SLOT (0x0001ffff, GSIF, GSIG, GSIH, GSIE),
                SLOT (0x0002ffff, GSIG, GSIH, GSIE, GSIF),
                SLOT (0x0003ffff, GSIH, GSIE, GSIF, GSIG),
                SLOT (0x0004ffff, GSIE, GSIF, GSIG, GSIH),
                SLOT (0x0005ffff, GSIF, GSIG, GSIH, GSIE),
                SLOT (0x0006ffff, GSIG, GSIH, GSIE, GSIF),
                SLOT (0x0007ffff, GSIH, GSIE, GSIF, GSIG),
                SLOT (0x0008ffff, GSIE, GSIF, GSIG, GSIH),
                SLOT (0x0009ffff, GSIF, GSIG, GSIH, GSIE),
                SLOT (0x000affff, GSIG, GSIH, GSIE, GSIF),
                SLOT (0x000bffff, GSIH, GSIE, GSIF, GSIG),
                SLOT (0x000cffff, GSIE, GSIF, GSIG, GSIH),
                SLOT (0x000dffff, GSIF, GSIG, GSIH, GSIE),
                SLOT (0x000effff, GSIG, GSIH, GSIE, GSIF),
                SLOT (0x000fffff, GSIH, GSIE, GSIF, GSIG),
                SLOT (0x0010ffff, GSIE, GSIF, GSIG, GSIH),
                SLOT (0x0011ffff, GSIF, GSIG, GSIH, GSIE),
                SLOT (0x0012ffff, GSIG, GSIH, GSIE, GSIF),
                SLOT (0x0013ffff, GSIH, GSIE, GSIF, GSIG),
                SLOT (0x0014ffff, GSIE, GSIF, GSIG, GSIH),
                SLOT (0x0015ffff, GSIF, GSIG, GSIH, GSIE),
                SLOT (0x0016ffff, GSIG, GSIH, GSIE, GSIF),
                SLOT (0x0017ffff, GSIH, GSIE, GSIF, GSIG),
                SLOT (0x0018ffff, GSIE, GSIF, GSIG, GSIH),
                SLOT (0x0019ffff, GSIA, GSIB, GSIC, GSID),
                SLOT (0x001affff, GSIA, GSIB, GSIC, GSID),
                SLOT (0x001bffff, GSIA, GSIB, GSIC, GSID),
                SLOT (0x001cffff, GSIA, GSIB, GSIC, GSID),
                SLOT (0x001dffff, GSIA, GSIB, GSIC, GSID),
                SLOT (0x001effff, GSIE, GSIF, GSIG, GSIH),
                SLOT (0x001fffff, GSIA, GSIB, GSIC, GSID)
            })
        }

#include "pci-links.asl"
        LINK (LNKA, 0, \_SB.PCI0.ISA.PRQA)
        LINK (LNKB, 1, \_SB.PCI0.ISA.PRQB)
        LINK (LNKC, 2, \_SB.PCI0.ISA.PRQC)
        LINK (LNKD, 3, \_SB.PCI0.ISA.PRQD)
        LINK (LNKE, 4, \_SB.PCI0.ISA.PRQE)
        LINK (LNKF, 5, \_SB.PCI0.ISA.PRQF)
        LINK (LNKG, 6, \_SB.PCI0.ISA.PRQG)
        LINK (LNKH, 7, \_SB.PCI0.ISA.PRQH)
        FIXED_LINK (GSIA, 16, 16)
        FIXED_LINK (GSIB, 17, 17)
        FIXED_LINK (GSIC, 18, 18)
        FIXED_LINK (GSID, 19, 19)
        FIXED_LINK (GSIE, 20, 20)
        FIXED_LINK (GSIF, 21, 21)
        FIXED_LINK (GSIG, 22, 22)
        FIXED_LINK (GSIH, 23, 23)

        /* Ranges that no device may be given. */
        Device (MBRD)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate () {
                Memory32Fixed (ReadWrite, 0xb0000000, 0x10000000)   // ECAM
                Memory32Fixed (ReadWrite, 0xfed1c000, 0x4000)       // RCRB
                IO (Decode16, 0x92, 0x92, 1, 1)
                IO (Decode16, 0xb2, 0xb2, 1, 2)
                IO (Decode16, 0x510, 0x510, 1, 12)                  // fw_cfg
                IO (Decode16, 0x600, 0x600, 1, 0x80)                // PMBASE
            })
        }
    }
}
