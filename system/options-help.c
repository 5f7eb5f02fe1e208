/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line says of itself, from its tables: -help, one topic or
 * one option of it, names of upstream's groups, and what a wrong name was
 * meant to be.
 */
#include "qemu/osdep.h"
#include "options.h"
#include "qemu/error-report.h"
#include "qemu/option.h"

const QEMUOption *options_find(const char *name)
{
    for (int t = 0; option_topics[t]; t++) {
        for (const QEMUOption *o = option_topics[t]->options; o->name; o++) {
            if (!strcmp(o->name, name)) {
                return o;
            }
        }
    }
    return NULL;
}

static const struct { const char *option, *group; } groups[] = {
    { "boot", "boot-opts" }, { "m", "memory" }, { "smp", "smp-opts" },
};

const char *options_group_of(const char *option)
{
    for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
        if (g_str_equal(groups[i].option, option)) {
            return groups[i].group;
        }
    }
    return option;
}

const char *options_of_group(const char *group)
{
    for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
        if (g_str_equal(groups[i].group, group)) {
            return groups[i].option;
        }
    }
    return group;
}

/* The left column: a topic is to fit a screen of 24 by 80. */
#define HELP_LEFT 32

static void help_option(const QEMUOption *o)
{
    g_autofree char *left = NULL;
    const char *syntax = o->syntax ?: "";

    syntax += *syntax == '?';
    left = g_strdup_printf("-%s %s", o->name, syntax);
    if (strlen(left) >= HELP_LEFT) {
        strcpy(left + HELP_LEFT - 4, "...");
    }
    printf("  %-*s%s\n", HELP_LEFT, left, o->help);
}

static void help_topic(const QEMUOptionTopic *topic)
{
    printf("%s (-help %s):\n", topic->title, topic->name);
    for (const QEMUOption *o = topic->options; o->name; o++) {
        if (o->help) {
            help_option(o);
        }
    }
}

bool options_print_help(const char *topic, Error **errp)
{
    const QEMUOption *o;
    const char *near;
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (!topic) {
        printf("usage: %s [OPTION]...\n"
               "-help OPTION has the whole of one; the manual page and "
               "docs/system/, of all.\n", error_get_progname());
    }
    for (int t = 0; option_topics[t]; t++) {
        if (!topic || g_str_equal(topic, option_topics[t]->name)) {
            printf("%s", topic ? "" : "\n");
            help_topic(option_topics[t]);
            if (topic) {
                return true;
            }
        }
        g_ptr_array_add(names, (void *)option_topics[t]->name);
    }
    if (!topic) {
        return true;
    }
    topic += strspn(topic, "-");
    o = options_find(topic);
    if (o) {
        printf("-%s %s\n", o->name, o->syntax ?: "");
        if (o->help) {
            printf("    %s\n", o->help);
        }
        return true;
    }
    g_ptr_array_add(names, NULL);
    near = nearest_spelling(topic, (const char *const *)names->pdata);
    error_setg(errp, near ? "there is neither a topic nor an option '%s' (did "
               "you mean '%s'?)" : "there is neither a topic nor an option "
               "'%s'", topic, near);
    return false;
}

const char *options_nearest(const char *name)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();

    for (int t = 0; option_topics[t]; t++) {
        for (const QEMUOption *o = option_topics[t]->options; o->name; o++) {
            g_ptr_array_add(known, (void *)o->name);
        }
    }
    g_ptr_array_add(known, NULL);
    return nearest_spelling(name, (const char *const *)known->pdata);
}
