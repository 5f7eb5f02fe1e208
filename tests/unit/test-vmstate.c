/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State descriptions: clearing and showing exactly what they name. */
#include "qemu/osdep.h"
#include "qemu/option.h"
#include "migration/vmstate.h"

typedef struct Queue {
    uint16_t head, tail;
    char kept;
} Queue;

typedef struct State {
    uint8_t kept_before;
    uint8_t byte;
    uint16_t half;
    uint32_t word;
    uint64_t quad;
    bool flag;
    uint8_t fifo[4];
    uint32_t regs[3];
    Queue one, many[2];
    uint8_t kept_after;
} State;

static const VMStateDescription vmstate_queue = {
    .name = "queue", .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(head, Queue),
        VMSTATE_UINT16(tail, Queue),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_test = {
    .name = "test", .version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(byte, State),
        VMSTATE_UINT16(half, State),
        VMSTATE_UINT32(word, State),
        VMSTATE_UINT64(quad, State),
        VMSTATE_BOOL(flag, State),
        VMSTATE_BUFFER(fifo, State),
        VMSTATE_UINT_ARRAY(regs, State),
        VMSTATE_STRUCT(one, State, &vmstate_queue),
        VMSTATE_STRUCT_ARRAY(many, State, &vmstate_queue),
        VMSTATE_END_OF_LIST()
    },
};

static const State full = {
    0x11, 0x81, 0x8002, 0x80000003, 0x8000000000000004, true,
    { 0xde, 0xad, 0x00, 0x0f }, { 1, 2, 3 },
    { 5, 6, 'a' }, { { 7, 8, 'b' }, { 9, 10, 'c' } }, 0x22,
};

static void test_clear(void)
{
    State s = full;
    static const State cleared = {
        .kept_before = 0x11, .kept_after = 0x22,
        .one.kept = 'a', .many[0].kept = 'b', .many[1].kept = 'c',
    };

    vmstate_clear(&vmstate_test, &s);
    g_assert_cmpint(s.kept_before, ==, cleared.kept_before);
    g_assert_cmpint(s.kept_after, ==, cleared.kept_after);
    g_assert_cmpint(s.one.kept, ==, 'a');
    g_assert_cmpint(s.many[1].kept, ==, 'c');
    g_assert_cmpuint(s.byte | s.half | s.word | s.quad | s.flag, ==, 0);
    g_assert_cmpmem(s.fifo, 4, cleared.fifo, 4);
    g_assert_cmpmem(s.regs, 12, cleared.regs, 12);
    g_assert_cmpint(s.one.head | s.one.tail | s.many[0].head | s.many[1].tail,
                    ==, 0);
}

static void test_json(void)
{
    g_autoptr(JsonNode) node = vmstate_to_json(&vmstate_test, &full);
    g_autoptr(JsonNode) want = json_parse(
        "{'byte':129,'half':32770,'word':2147483651,"
        "'quad':'9223372036854775812','flag':true,'fifo':'dead000f',"
        "'regs':[1,2,3],'one':{'head':5,'tail':6},"
        "'many':[{'head':7,'tail':8},{'head':9,'tail':10}]}", NULL);
    g_autofree char *a = json_text(node, false), *b = json_text(want, false);

    g_assert_cmpstr(a, ==, b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmstate/clear-touches-only-what-is-described",
                    test_clear);
    g_test_add_func("/vmstate/json-shows-every-field", test_json);
    return g_test_run();
}
