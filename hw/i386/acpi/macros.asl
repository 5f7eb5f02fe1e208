/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Macros for both tables, which the C preprocessor expands before iasl runs.
 *
 * A link device says what a PIRQ register routes to, and lets an operating
 * system change it (PIIX and ICH: bit 7 off, low bits the ISA line).
 */
#define LINK(NAME, UID, REG)                                            \
    Device (NAME) {                                                     \
        Name (_HID, EisaId ("PNP0C0F"))                                 \
        Name (_UID, UID)                                                \
        Name (_PRS, ResourceTemplate () {                               \
            Interrupt (, Level, ActiveHigh, Shared) {5, 10, 11}         \
        })                                                              \
        Method (_STA) { Return (LSTA (REG)) }                           \
        Method (_CRS) { Return (LCRS (REG)) }                           \
        Method (_DIS) { REG |= 0x80 }                                   \
        Method (_SRS, 1) { REG = LIRQ (Arg0) }                          \
    }

/* A line of its own that nothing can move. */
#define FIXED_LINK(NAME, UID, GSI)                                      \
    Device (NAME) {                                                     \
        Name (_HID, EisaId ("PNP0C0F"))                                 \
        Name (_UID, UID)                                                \
        Name (_PRS, ResourceTemplate () {                               \
            Interrupt (, Level, ActiveHigh, Shared) {GSI}               \
        })                                                              \
        Name (_CRS, ResourceTemplate () {                               \
            Interrupt (, Level, ActiveHigh, Shared) {GSI}               \
        })                                                              \
        Method (_SRS, 1) { }                                            \
    }

/* One slot's pins. */
#define SLOT(ADR, A, B, C, D)                                           \
    Package () {ADR, 0, A, 0}, Package () {ADR, 1, B, 0},               \
    Package () {ADR, 2, C, 0}, Package () {ADR, 3, D, 0}

/* An integer that the machine writes into the table: a constant of 32 bits
 * (SeaBIOS's parser knows none of 64). */
#define PATCHED(NAME) Name (NAME, 0x11223344)
