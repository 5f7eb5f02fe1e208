/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBIOS tables for firmware, which places them and adds its own. */
#ifndef HW_I386_SMBIOS_H
#define HW_I386_SMBIOS_H

#include "qapi/error.h"

#define SMBIOS_ANCHOR_SIZE 31

typedef struct SMBIOSConfig {
    const char *manufacturer, *product, *version;
    uint8_t uuid[16];               /* as RFC 4122 has it */
    unsigned sockets, cores, threads;   /* cores, threads: of one socket */
    uint64_t below_4g, above_4g;    /* bytes of RAM */
} SMBIOSConfig;

/* The structures; @anchor becomes the 2.1 entry point, whose table address
 * and checksums firmware fills in. */
GByteArray *smbios_build(const SMBIOSConfig *cfg,
                         uint8_t anchor[SMBIOS_ANCHOR_SIZE]);
/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" to bytes; false: it is none. */
bool uuid_parse(const char *text, uint8_t uuid[16]);

#endif
