/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option arguments, their values, and misspellings. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/option.h"

static char *parsed(const char *str, const char *implied)
{
    g_autoptr(JsonObject) o = keyval_parse(str, implied, NULL, &error_abort);
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

    json_node_set_object(node, o);
    return json_text(node, false);
}

static void test_keyval(void)
{
    static const struct {
        const char *str, *implied, *want;
    } cases[] = {
        { "", NULL, "{}" },
        { "a=b", NULL, "{'a':'b'}" },
        { "a=b,c=d", NULL, "{'a':'b','c':'d'}" },
        { "a=", NULL, "{'a':''}" },
        { "a=b,", NULL, "{'a':'b'}" },
        { "nvme,drive=d0", "driver", "{'driver':'nvme','drive':'d0'}" },
        { "driver=nvme", "driver", "{'driver':'nvme'}" },
        { "a=x,,y,b=z", NULL, "{'a':'x,y','b':'z'}" },
        { "p,,q,a=b", "path", "{'path':'p,q','a':'b'}" },
        { "a=b=c", NULL, "{'a':'b=c'}" },
        { "a=1,a=2", NULL, "{'a':'2'}" },
        { "a.b=c", NULL, "{'a':{'b':'c'}}" },
        { "a.b=c,a.d.e=f", NULL, "{'a':{'b':'c','d':{'e':'f'}}}" },
        { "x,server,nowait", "path",
          "{'path':'x','server':'on','wait':'off'}" },
        { "no", NULL, "{'no':'on'}" },
        { "{\"a\":1,\"b\":{\"c\":true},\"d\":[null]}", NULL,
          "{'a':1,'b':{'c':true},'d':[null]}" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *got = parsed(cases[i].str, cases[i].implied);

        g_assert_cmpstr(g_strdelimit(got, "\"", '\''), ==, cases[i].want);
    }
}

static void test_keyval_errors(void)
{
    static const struct {
        const char *str, *words;
    } cases[] = {
        { "=x", "Invalid parameter ''" },
        { "a..b=c", "'a..b'" },
        { ".a=c", "'.a'" },
        { "a.=c", "'a.'" },
        { "a b=c", "'a b'" },
        { ",", "Invalid parameter ''" },
        { "a=1,a.b=2", "'a' is both" },
        { "a.b=1,a=2", "'a' is both" },
        { "a,help", "no help" },
        { "{\"a\":", "JSON parse error" },
        { "{\"a\":1} x", "JSON parse error" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autoptr(Error) err = NULL;

        g_assert_null(keyval_parse(cases[i].str, NULL, NULL, &err));
        if (!strstr(error_get_pretty(err), cases[i].words)) {
            g_error("%s: %s", cases[i].str, error_get_pretty(err));
        }
    }
}

static bool wants_help(const char *str)
{
    bool help;
    g_autoptr(JsonObject) o = keyval_parse(str, "k", &help, &error_abort);

    g_assert_nonnull(o);
    return help;
}

static void test_help(void)
{
    g_assert_true(wants_help("help"));
    g_assert_true(wants_help("?"));
    g_assert_true(wants_help("nvme,help"));
    g_assert_true(wants_help("nvme,a=b,help,c=d"));
    g_assert_false(wants_help("a=help"));
    g_assert_false(wants_help("helpful"));
    g_assert_false(wants_help("{\"help\":true}"));
}

static void test_take(void)
{
    g_autoptr(JsonObject) o =
        keyval_parse("{\"s\":\"text\",\"b\":true,\"c\":\"off\",\"n\":7,"
                     "\"m\":\"0x10\",\"z\":4096,\"y\":\"2M\",\"x\":\"3\"}",
                     NULL, NULL, &error_abort);
    g_autofree char *s = g_strdup("old");
    bool b = false, c = true;
    uint64_t n = 0, m = 0, z = 0, y = 0, x = 0, absent = 42;

    g_assert_true(keyval_take_str(o, "s", &s, &error_abort));
    g_assert_cmpstr(s, ==, "text");
    g_assert_true(keyval_take_bool(o, "b", &b, &error_abort));
    g_assert_true(keyval_take_bool(o, "c", &c, &error_abort));
    g_assert_true(b);
    g_assert_false(c);
    g_assert_true(keyval_take_uint(o, "n", 7, &n, &error_abort));
    g_assert_true(keyval_take_uint(o, "m", 255, &m, &error_abort));
    g_assert_cmpuint(n, ==, 7);
    g_assert_cmpuint(m, ==, 16);
    g_assert_true(keyval_take_size(o, "z", MiB, &z, &error_abort));
    g_assert_true(keyval_take_size(o, "y", MiB, &y, &error_abort));
    g_assert_true(keyval_take_size(o, "x", MiB, &x, &error_abort));
    g_assert_cmpuint(z, ==, 4096);
    g_assert_cmpuint(y, ==, 2 * MiB);
    g_assert_cmpuint(x, ==, 3 * MiB);
    g_assert_true(keyval_take_uint(o, "absent", 1, &absent, &error_abort));
    g_assert_cmpuint(absent, ==, 42);
    g_assert_true(keyval_check_empty(o, "thing", NULL, &error_abort));
}

static void test_take_bad(void)
{
    g_autoptr(JsonObject) o =
        keyval_parse("{\"s\":1,\"b\":\"maybe\",\"n\":8,\"neg\":-1,"
                     "\"z\":\"2Q\",\"o\":{},\"f\":1.5}",
                     NULL, NULL, &error_abort);
    g_autofree char *s = NULL;
    bool b = true;
    uint64_t n = 42;
    Error *errs[8] = { NULL };

    g_assert_false(keyval_take_str(o, "s", &s, &errs[0]));
    g_assert_false(keyval_take_bool(o, "b", &b, &errs[1]));
    g_assert_false(keyval_take_uint(o, "n", 7, &n, &errs[2]));
    g_assert_false(keyval_take_uint(o, "neg", 7, &n, &errs[3]));
    g_assert_false(keyval_take_size(o, "z", 1, &n, &errs[4]));
    g_assert_false(keyval_take_bool(o, "o", &b, &errs[5]));
    g_assert_false(keyval_take_uint(o, "o", 7, &n, &errs[6]));
    g_assert_false(keyval_take_uint(o, "f", 7, &n, &errs[7]));
    g_assert_null(s);
    g_assert_true(b);
    g_assert_cmpuint(n, ==, 42);
    for (size_t i = 0; i < ARRAY_SIZE(errs); i++) {
        g_assert_nonnull(strstr(error_get_pretty(errs[i]), " expects "));
        error_free(errs[i]);
    }
}

static void test_left_over(void)
{
    static const char *const known[] = { "drive", "serial", NULL };
    g_autoptr(JsonObject) o = keyval_parse("driv=x", NULL, NULL,
                                           &error_abort);
    g_autoptr(JsonObject) q = keyval_parse("quux=x", NULL, NULL,
                                           &error_abort);
    g_autoptr(Error) e1 = NULL;
    g_autoptr(Error) e2 = NULL;

    g_assert_false(keyval_check_empty(o, "device 'nvme'", known, &e1));
    g_assert_cmpstr(error_get_pretty(e1), ==, "Invalid parameter 'driv' for "
                    "device 'nvme'; did you mean 'drive'?");
    g_assert_false(keyval_check_empty(q, "device 'nvme'", known, &e2));
    g_assert_cmpstr(error_get_pretty(e2), ==,
                    "Invalid parameter 'quux' for device 'nvme'");
    g_assert_nonnull(strstr(error_get_hint(e2), "drive, serial"));
}

static void test_int(void)
{
    int64_t v = 0;

    g_assert_true(qemu_parse_int("x", "-9223372036854775808", INT64_MIN,
                                 INT64_MAX, &v, &error_abort));
    g_assert_cmpint(v, ==, INT64_MIN);
    g_assert_true(qemu_parse_int("x", "9223372036854775807", INT64_MIN,
                                 INT64_MAX, &v, &error_abort));
    g_assert_cmpint(v, ==, INT64_MAX);
    g_assert_true(qemu_parse_int("x", "-0x10", -16, 0, &v, &error_abort));
    g_assert_cmpint(v, ==, -16);
    g_assert_false(qemu_parse_int("x", "9223372036854775808", INT64_MIN,
                                  INT64_MAX, &v, NULL));
    g_assert_false(qemu_parse_int("x", "-17", -16, 0, &v, NULL));
    g_assert_false(qemu_parse_int("x", "1", -16, 0, &v, NULL));
    g_assert_false(qemu_parse_int("x", "", -16, 16, &v, NULL));
    g_assert_false(qemu_parse_int("x", "--1", -16, 16, &v, NULL));
    g_assert_false(qemu_parse_int("x", "1x", -16, 16, &v, NULL));
    g_assert_cmpint(v, ==, -16);
}

static void test_uint(void)
{
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "0x", "18446744073709551616", "one",
    };
    g_autoptr(Error) err = NULL;
    uint64_t v = 0;

    g_assert_true(qemu_parse_uint("x", "18446744073709551615", UINT64_MAX, &v,
                                  &error_abort));
    g_assert_cmpuint(v, ==, UINT64_MAX);
    g_assert_true(qemu_parse_uint("x", "0xFf", 255, &v, &error_abort));
    g_assert_cmpuint(v, ==, 255);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_false(qemu_parse_uint("x", bad[i], UINT64_MAX, &v, NULL));
    }
    g_assert_false(qemu_parse_uint("count", "256", 255, &v, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "Parameter 'count' expects a "
                    "number from 0 to 255, not '256'");
    g_assert_cmpuint(v, ==, 255);
}

static void test_size(void)
{
    static const struct {
        const char *text;
        uint64_t unit, want;
    } good[] = {
        { "0", 1, 0 }, { "512", 1, 512 }, { "512", MiB, 512 * MiB },
        { "512b", MiB, 512 }, { "4k", 1, 4096 }, { "4K", MiB, 4096 },
        { "2M", 1, 2 * MiB }, { "3g", 1, 3 * GiB }, { "1T", 1, TiB },
        { "1.5G", 1, GiB + 512 * MiB }, { "0.25k", 1, 256 },
        { "0x1000", 1, 4096 }, { "15E", 1, 15ULL << 60 },
        { "18446744073709551615", 1, UINT64_MAX }, { "7.0", 1, 7 },
    };
    static const char *const bad[] = {
        "", "k", "-1", "1KB", "1Z", "16E", "18446744073709551616", "1.5",
        ".5G", "1 G", "0x", "1e3",
    };
    uint64_t v = 42;

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        g_assert_true(qemu_parse_size("s", good[i].text, good[i].unit, &v,
                                      &error_abort));
        g_assert_cmpuint(v, ==, good[i].want);
    }
    v = 42;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (qemu_parse_size("s", bad[i], 1, &v, NULL)) {
            g_error("'%s' is %" PRIu64, bad[i], v);
        }
    }
    g_assert_cmpuint(v, ==, 42);
}

static void test_bool(void)
{
    bool v = false;

    g_assert_true(qemu_parse_bool("x", "on", &v, &error_abort));
    g_assert_true(v);
    g_assert_true(qemu_parse_bool("x", "no", &v, &error_abort));
    g_assert_false(v);
    g_assert_false(qemu_parse_bool("x", "ON", &v, NULL));
    g_assert_false(qemu_parse_bool("x", "1", &v, NULL));
    g_assert_false(qemu_parse_bool("x", "", &v, NULL));
}

static void test_nearest(void)
{
    static const char *const known[] = {
        "nvme", "lsi53c895a", "x-pci-proxy-dev", "virtio-net-pci", "edu",
        NULL,
    };

    g_assert_cmpstr(nearest_spelling("nvem", known), ==, "nvme");
    g_assert_cmpstr(nearest_spelling("nvm", known), ==, "nvme");
    g_assert_cmpstr(nearest_spelling("lsi53c895", known), ==, "lsi53c895a");
    g_assert_cmpstr(nearest_spelling("pci-proxy-dev", known), ==,
                    "x-pci-proxy-dev");
    g_assert_cmpstr(nearest_spelling("virtio_net_pci", known), ==,
                    "virtio-net-pci");
    g_assert_null(nearest_spelling("e1000", known));
    g_assert_null(nearest_spelling("", known));
    g_assert_null(nearest_spelling("zzzz", known));
}

static void test_id(void)
{
    g_assert_true(id_wellformed("a"));
    g_assert_true(id_wellformed("drive-0.1_x"));
    g_assert_false(id_wellformed(""));
    g_assert_false(id_wellformed("0a"));
    g_assert_false(id_wellformed("_a"));
    g_assert_false(id_wellformed("a b"));
    g_assert_false(id_wellformed("a/b"));
}

static void test_json_depth(void)
{
    g_autofree char *deep = g_strnfill(100000, '[');
    g_autofree char *quoted = g_strdup_printf("[\"%s\\\"[\"]", deep);
    g_autoptr(Error) e1 = NULL;
    g_autoptr(Error) e2 = NULL;
    g_autoptr(JsonNode) node = NULL;

    g_assert_null(json_parse(deep, &e1));
    g_assert_nonnull(strstr(error_get_pretty(e1), "nested"));
    node = json_parse(quoted, &error_abort);
    g_assert_nonnull(node);
    g_assert_null(json_parse("", &e2));
    g_assert_nonnull(e2);
}

static void test_json_kept(void)
{
    static const char *const cases[][2] = {
        { "[1e308,{\"a\":-1.5}]", "[1e+308,{\"a\":-1.5}]" },
        { "[3e-9, 2.51, -0, -0.0, 4.0]",
          "[3e-09,2.5099999999999998,0,-0.0,4.0]" },
        { "[9223372036854775807,-9223372036854775808]",
          "[9223372036854775807,-9223372036854775808]" },
        { "18446744073709551615", "1.8446744073709552e+19" },
        { " {'b' : 'it\\'s \"', \"a\":\"'\"}\n",
          "{\"b\":\"it's \\\"\",\"a\":\"'\"}" },
        { "[true,false,null,[],{},{\"\":\"\"}]",
          "[true,false,null,[],{},{\"\":\"\"}]" },
        { "\"\\ud83d\\ude00\\u00e9\\/\\n\\u001f\"",
          "\"\xf0\x9f\x98\x80\xc3\xa9/\\u000a\\u001f\"" },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autoptr(JsonNode) node = json_parse(cases[i][0], &error_abort);
        g_autofree char *text = json_text(node, false);

        g_assert_cmpstr(text, ==, cases[i][1]);
    }
}

/* What a host calls its files is not always text. */
static void test_json_not_utf8(void)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(),
                                                     "caf\xe9");
    g_autofree char *text = json_text(node, false);

    g_assert_cmpstr(text, ==, "\"caf\xef\xbf\xbd\"");
}

static void test_json_pretty(void)
{
    g_autoptr(JsonNode) node = json_parse("{\"a\":[1,{}],\"b\":[]}",
                                          &error_abort);
    g_autofree char *text = json_text(node, true);

    g_assert_cmpstr(text, ==, "{\n    \"a\": [\n        1,\n        {}\n"
                              "    ],\n    \"b\": []\n}");
}

/* Text that is no JSON, and JSON that means what cannot be kept. */
static void test_json_refused(void)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        { "", "a value is missing at byte 0" },
        { "[01]", "',' or ']' is missing at byte 2" },
        { "[0x10]", "',' or ']' is missing" },
        { "[.5]", "a value is missing at byte 1" },
        { "[1.]", "a digit is missing at byte 3" },
        { "[1e+]", "a digit is missing at byte 4" },
        { "[-]", "a digit is missing at byte 2" },
        { "[+1]", "a value is missing" },
        { "-3e999", "a number is too large at byte 0" },
        { "{\"a\":{\"b\":[2,{\"c\":9e999}]}}", "too large at byte 18" },
        { "[1,]", "a value is missing at byte 3" },
        { "[1 2]", "',' or ']' is missing at byte 3" },
        { "{\"a\":1,}", "a member's name, a string, is missing" },
        { "{a:1}", "a member's name, a string, is missing" },
        { "{\"a\" 1}", "':' is missing" },
        { "{\"a\":1 \"b\":2}", "',' or '}' is missing" },
        { "{\"a\":1,\"a\":2}", "two members of one name" },
        { "{\"a\"", "':' is missing" },
        { "[true", "',' or ']' is missing" },
        { "True", "a value is missing" },
        { "nullx", "text behind the value at byte 4" },
        { "[1] [2]", "text behind the value at byte 4" },
        { "/* \" */ [[[", "a value is missing at byte 0" },
        { "\"abc", "a string without end" },
        { "\"abc\\", "an unknown escape" },
        { "\"\\300\"", "an unknown escape" },
        { "\"\\x41\"", "an unknown escape" },
        { "\"a\nb\"", "a control character" },
        { "\"\\u12\"", "four hexadecimal digits" },
        { "\"\\u0000\"", "U+0000" },
        { "\"\\ud800\"", "half of a character" },
        { "\"\\ud800\\u0041\"", "half of a character" },
        { "\"\\udc00\"", "half of a character" },
        { "\"\xc3\"", "the text is not UTF-8 at byte 1" },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autoptr(Error) err = NULL;

        g_assert_null(json_parse(cases[i].text, &err));
        if (!strstr(error_get_pretty(err), cases[i].words)) {
            g_error("%s: %s", cases[i].text, error_get_pretty(err));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keyval/forms", test_keyval);
    g_test_add_func("/keyval/errors", test_keyval_errors);
    g_test_add_func("/keyval/help", test_help);
    g_test_add_func("/keyval/take", test_take);
    g_test_add_func("/keyval/take-refuses-bad-values", test_take_bad);
    g_test_add_func("/keyval/left-over-refused-by-name", test_left_over);
    g_test_add_func("/option/int", test_int);
    g_test_add_func("/option/uint", test_uint);
    g_test_add_func("/option/size", test_size);
    g_test_add_func("/option/bool", test_bool);
    g_test_add_func("/option/nearest-spelling", test_nearest);
    g_test_add_func("/option/id", test_id);
    g_test_add_func("/json/depth-limited", test_json_depth);
    g_test_add_func("/json/kept", test_json_kept);
    g_test_add_func("/json/not-utf-8", test_json_not_utf8);
    g_test_add_func("/json/pretty", test_json_pretty);
    g_test_add_func("/json/refused", test_json_refused);
    return g_test_run();
}
