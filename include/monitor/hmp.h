/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The human monitor: commands as tables; output goes to a string. */
#ifndef MONITOR_HMP_H
#define MONITOR_HMP_H

typedef struct HMPCommand {
    const char *name;           /* "quit", "info remote"; NULL ends a table */
    const char *params;         /* as help shows them, or NULL: takes none */
    const char *help;
    /* @arg: the rest of the line, trimmed; never NULL.  Main loop, BQL. */
    void (*run)(GString *out, const char *arg);
} HMPCommand;

void hmp_register_commands(const HMPCommand *commands);
#define HMP_TABLE(table)                                                \
    static void __attribute__((constructor)) do_hmp_##table(void)       \
    {                                                                   \
        hmp_register_commands(table);                                   \
    }

#endif
