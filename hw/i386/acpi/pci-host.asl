/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the root bridge decodes: included in Device (PCI0).  The windows depend
 * on the size of RAM; a table made at run time defines them as integers, first
 * and last address each.
 */
External (\P32S, IntObj)    // 32-bit window
External (\P32E, IntObj)
External (\PLWS, IntObj)    // another below PCIEXBAR; last 0: there is none
External (\PLWE, IntObj)
External (\P64S, IntObj)    // 64-bit window
External (\P64E, IntObj)

Method (_CRS, 0, Serialized)
{
    Name (CRS, ResourceTemplate () {
        WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                       0, 0, 0xff, 0, 0x100)
        IO (Decode16, 0xcf8, 0xcf8, 1, 8)
        WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                0, 0, 0xcf7, 0, 0xcf8)
        WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                0, 0xd00, 0xffff, 0, 0xf300)
        DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                     Cacheable, ReadWrite, 0, 0xa0000, 0xbffff, 0, 0x20000)
        DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                     NonCacheable, ReadWrite, 0, 0, 0, 0, 1, , , P32)
        QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                     Cacheable, ReadWrite, 0, 0, 0, 0, 1, , , P64)
    })
    Name (LOW, ResourceTemplate () {
        DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                     NonCacheable, ReadWrite, 0, 0, 0, 0, 1, , , PLW)
    })
    CreateDWordField (CRS, P32._MIN, N32)
    CreateDWordField (CRS, P32._MAX, X32)
    CreateDWordField (CRS, P32._LEN, L32)
    CreateQWordField (CRS, P64._MIN, N64)
    CreateQWordField (CRS, P64._MAX, X64)
    CreateQWordField (CRS, P64._LEN, L64)
    CreateDWordField (LOW, PLW._MIN, NLW)
    CreateDWordField (LOW, PLW._MAX, XLW)
    CreateDWordField (LOW, PLW._LEN, LLW)

    N32 = \P32S
    X32 = \P32E
    L32 = \P32E - \P32S + 1
    N64 = \P64S
    X64 = \P64E
    L64 = \P64E - \P64S + 1
    If (\PLWE) {
        NLW = \PLWS
        XLW = \PLWE
        LLW = \PLWE - \PLWS + 1
        ConcatenateResTemplate (CRS, LOW, Local0)
        Return (Local0)
    }
    Return (CRS)
}
