/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the root bridge decodes: included in Device (PCI0).  The windows depend
 * on the size of RAM.
 */
PATCHED (P32S)              // 32-bit window, first address and last
PATCHED (P32E)
PATCHED (PLWS)              // another below PCIEXBAR; last 0: there is none
PATCHED (PLWE)
PATCHED (P64S)              // 64-bit window, first MiB and that after it
PATCHED (P64E)

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

    N32 = P32S
    X32 = P32E
    L32 = P32E - P32S + 1
    N64 = P64S << 20
    X64 = (P64E << 20) - 1
    L64 = (P64E - P64S) << 20
    If (PLWE) {
        NLW = PLWS
        XLW = PLWE
        LLW = PLWE - PLWS + 1
        ConcatenateResTemplate (CRS, LOW, Local0)
        Return (Local0)
    }
    Return (CRS)
}
