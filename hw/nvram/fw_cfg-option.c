/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -fw_cfg: files of the operator's own in fw_cfg's directory. */
#include "qemu/osdep.h"
#include "hw/nvram/fw_cfg.h"
#include "qemu/error-report.h"
#include "qemu/option.h"

#define FILE_MAX (64 * MiB)

bool fw_cfg_option(FWCfgState *s, JsonObject *opts, Error **errp)
{
    g_autofree char *name = NULL, *string = NULL, *file = NULL;
    gsize len;

    if (!keyval_take_str(opts, "name", &name, errp) ||
        !keyval_take_str(opts, "string", &string, errp) ||
        !keyval_take_str(opts, "file", &file, errp) ||
        !keyval_check_empty(opts, "-fw_cfg", (const char *const[]){
            "name", "string", "file", NULL }, errp)) {
        return false;
    }
    if (!name || !*name || !string == !file) {
        error_setg(errp, "expects name=opt/NAME and either string=TEXT or "
                   "file=FILE");
        return false;
    }
    if (!g_str_has_prefix(name, "opt/")) {
        warn_report("-fw_cfg name=%s: names of your own begin with 'opt/'",
                    name);
    }
    if (string) {
        len = strlen(string);
    } else if (!file_of_option(file, FILE_MAX, &string, &len, errp)) {
        return false;
    }
    if (!fw_cfg_try_take_file(s, name, string, len, errp)) {
        return false;
    }
    g_steal_pointer(&string);
    return true;
}
