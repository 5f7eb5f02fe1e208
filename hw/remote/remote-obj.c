/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x-remote-object: joins one device of a remote process to one connection.
 *
 *     -object x-remote-object,id=ID,devid=DEVICE,fd=N[,auto-shutdown=off]
 *     -object x-remote-object,id=ID,devid=DEVICE,socket.type=unix,socket.path=P
 *
 * Its thread starts when the machine is ready, so that the first message
 * finds the device in its final reset state; with a path it listens from the
 * beginning, and serves the first that connects.  When the last link of the
 * process has ended the process ends too, unless one had auto-shutdown=off:
 * an object with that and a path then waits for the next VM.
 *
 * device_del of the device asks the VM to let go of it first.
 */
#include "qemu/osdep.h"
#include "hw/remote/machine.h"
#include "hw/remote/message.h"
#include "hw/remote/remote-obj.h"
#include "hw/remote/socket.h"
#include "qemu/aio.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/sockets.h"
#include "system/runstate.h"
#include "system/system.h"

static RemoteMachineState *remote_machine(void)
{
    return (RemoteMachineState *)object_dynamic_cast(OBJECT(current_machine),
                                                     TYPE_REMOTE_MACHINE);
}

static void accept_vm(void *opaque);

static void watch(RemoteObject *o)
{
    aio_set_fd_handler(qemu_get_aio_context(), o->listen_fd, accept_vm, NULL,
                       NULL, o);
}

static void unwatch(RemoteObject *o)
{
    aio_set_fd_handler(qemu_get_aio_context(), o->listen_fd, NULL, NULL, NULL,
                       NULL);
}

static void stop_listening(RemoteObject *o)
{
    if (o->listen_fd >= 0) {
        unwatch(o);
        if (o->socket_path) {
            unix_socket_remove(o->socket_path, o->file);
        }
        qemu_close(&o->listen_fd);
    }
}

/* It has had its VM, or will have none. */
static void serves_no_more(RemoteObject *o)
{
    RemoteMachineState *ms = remote_machine();

    stop_listening(o);
    if (o->link.rd) {
        o->link.rd->owner = NULL;
        o->link.rd = NULL;
    }
    if (--ms->served == 0 && !ms->stay) {
        qemu_system_shutdown_request(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
}

/* The device is to be deleted. */
static bool ask_release(void *opaque, Error **errp)
{
    RemoteObject *o = opaque;
    PCIDevice *pci_dev = o->link.rd->pci_dev;

    if (!o->running) {
        serves_no_more(o);
        qdev_unplug_complete(&pci_dev->qdev);
        return true;
    }
    if (!remote_link_ask_unplug(&o->link)) {
        error_setg(errp, "the VM that has device '%s' cannot be asked to "
                   "release it: delete its x-pci-proxy-dev there", o->devid);
        return false;
    }
    return true;
}

/* -- The thread and its end ---------------------------------------------- */

/* Main loop, after the thread has left its loop. */
static void link_ended(void *opaque)
{
    RemoteObject *o = opaque;

    qemu_thread_join(&o->thread);
    o->running = false;
    if (remote_device_released(o->link.rd)) {
        o->link.rd = NULL;
    }
    if (o->link.rd && o->listen_fd >= 0) {
        watch(o);
    } else {
        serves_no_more(o);
    }
    object_unref(o);
}

static void *link_thread(void *opaque)
{
    RemoteObject *o = opaque;

    remote_link_serve(&o->link);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), link_ended, o);
    return NULL;
}

static bool start(RemoteObject *o, Error **errp)
{
    g_autofree char *name = g_strdup_printf("link %.9s", o->link.name);

    mpqemu_channel_init(&o->link.ch, o->fd);
    o->fd = -1;
    o->link.open = true;
    aio_context_set_poll_params(o->link.rd->ctx, o->poll_max_ns);
    object_ref(o);
    if (!qemu_thread_create(&o->thread, name, link_thread, o, errp)) {
        object_unref(o);
        return false;
    }
    o->running = true;
    return true;
}

static void start_or_end(RemoteObject *o)
{
    Error *err = NULL;

    if (!start(o, &err)) {
        error_report_err(err);
        qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_HOST_ERROR, 1);
    }
}

static void accept_vm(void *opaque)
{
    RemoteObject *o = opaque;

    /* One that has gone again is not served: the next may come. */
    o->fd = unix_accept(o->listen_fd, NULL);
    if (o->fd >= 0) {
        o->link.peer_pid = socket_peer_pid(o->fd);
        if (o->auto_shutdown) {
            stop_listening(o);
        } else {
            /* Another VM waits until this one has left. */
            unwatch(o);
        }
        start_or_end(o);
    }
}

static void machine_ready(void *opaque)
{
    RemoteObject *o = opaque;

    if (o->listen_fd >= 0) {
        watch(o);
    } else {
        start_or_end(o);
    }
}

/* -- Life ---------------------------------------------------------------- */

static PCIDevice *find_device(RemoteObject *o, Error **errp)
{
    DeviceState *dev;

    if (!o->devid) {
        error_setg(errp, "x-remote-object: property 'devid' is missing: name "
                   "the id of a -device");
        return NULL;
    }
    dev = qdev_find_by_id(o->devid);
    if (!dev) {
        error_setg(errp, "x-remote-object: no device has the id '%s'",
                   o->devid);
        return NULL;
    }
    if (!object_dynamic_cast(OBJECT(dev), TYPE_PCI_DEVICE)) {
        error_setg(errp, "x-remote-object: '%s' is a %s, not a PCI device",
                   o->devid, object_get_typename(OBJECT(dev)));
        return NULL;
    }
    return PCI_DEVICE(dev);
}

static int has_path(Object *obj, void *opaque)
{
    RemoteObject *o = (RemoteObject *)
        object_dynamic_cast(obj, TYPE_REMOTE_OBJECT);

    return o && o->listen_fd >= 0 && g_strcmp0(o->socket_path, opaque) == 0;
}

/* The later would take it from the earlier. */
static bool listen_at(RemoteObject *o, Error **errp)
{
    if (object_child_foreach(object_get_objects_root(), has_path,
                             o->socket_path)) {
        error_setg(errp, "x-remote-object: another listens at '%s' already",
                   o->socket_path);
        return false;
    }
    o->listen_fd = unix_listen(o->socket_path, errp);
    return o->listen_fd >= 0;
}

static bool remote_object_complete(UserCreatable *uc, Error **errp)
{
    RemoteObject *o = REMOTE_OBJECT(uc);
    RemoteMachineState *ms = remote_machine();
    PCIDevice *pci_dev;

    if (!ms) {
        error_setg(errp, "x-remote-object needs -machine x-remote");
        return false;
    }
    if (!remote_socket_check(o->fd, o->socket_path, errp)) {
        error_prepend(errp, "x-remote-object: ");
        return false;
    }
    pci_dev = find_device(o, errp);
    if (!pci_dev) {
        return false;
    }
    o->link.rd = remote_device_of(pci_dev);
    if (o->link.rd->owner) {
        error_setg(errp, "x-remote-object: device '%s' has another "
                   "x-remote-object already", o->devid);
        o->link.rd = NULL;
        return false;
    }
    if (o->socket_path) {
        if (!listen_at(o, errp)) {
            o->link.rd = NULL;
            return false;
        }
        o->file = unix_socket_file(o->socket_path);
    } else if (socket_is_listening(o->fd)) {
        /* As a service manager hands it over. */
        o->listen_fd = o->fd;
        o->fd = -1;
    }
    if (o->listen_fd >= 0) {
        qemu_set_blocking(o->listen_fd, false);
        ms->listens = true;
    } else {
        o->link.peer_pid = socket_peer_pid(o->fd);
    }
    o->link.rd->owner = o;
    o->link.rd->ask_release = ask_release;
    o->link.iohub = &ms->iohub;
    o->link.name = object_get_canonical_path_component(OBJECT(o));
    ms->served++;
    ms->stay |= !o->auto_shutdown;
    qemu_add_machine_ready(machine_ready, o);
    return true;
}

static int remove_path(Object *obj, void *opaque)
{
    RemoteObject *o = (RemoteObject *)
        object_dynamic_cast(obj, TYPE_REMOTE_OBJECT);

    if (o && o->listen_fd >= 0 && o->socket_path) {
        unix_socket_remove(o->socket_path, o->file);
    }
    return 0;
}

/* At the end of the process.  In its box it cannot: the next takes them
 * over. */
static void remove_paths(void)
{
    object_child_foreach(object_get_objects_root(), remove_path, NULL);
}

static bool remote_object_can_be_deleted(UserCreatable *uc)
{
    return !REMOTE_OBJECT(uc)->running;
}

static void remote_object_init(Object *obj)
{
    static bool at_exit;
    RemoteObject *o = REMOTE_OBJECT(obj);

    remote_link_init(&o->link);
    o->fd = o->listen_fd = -1;
    o->auto_shutdown = true;
    o->poll_max_ns = 100 * SCALE_US;
    if (!at_exit) {
        at_exit = true;
        atexit(remove_paths);
    }
}

static void remote_object_finalize(Object *obj)
{
    RemoteObject *o = REMOTE_OBJECT(obj);

    if (o->link.rd) {
        /* Removed before anybody came, or after the last has left. */
        stop_listening(o);
        o->link.rd->owner = NULL;
        remote_machine()->served--;
    }
    remote_link_finalize(&o->link);
    qemu_close(&o->fd);
    g_free(o->devid);
    g_free(o->socket_path);
}

/* -- Properties ---------------------------------------------------------- */

static JsonNode *get_fd(Object *obj, const char *name, void *opaque,
                        Error **errp)
{
    return json_node_new_int(REMOTE_OBJECT(obj)->fd);
}

static bool set_fd(Object *obj, const char *name, JsonNode *value,
                   void *opaque, Error **errp)
{
    RemoteObject *o = REMOTE_OBJECT(obj);
    int fd = qdev_fd_from_json(value, name, errp);

    if (fd < 0) {
        return false;
    }
    qemu_close(&o->fd);
    o->fd = fd;
    return true;
}

static JsonNode *get_socket(Object *obj, const char *name, void *opaque,
                            Error **errp)
{
    return remote_socket_get(REMOTE_OBJECT(obj)->socket_path);
}

static bool set_socket(Object *obj, const char *name, JsonNode *value,
                       void *opaque, Error **errp)
{
    return remote_socket_set(value, &REMOTE_OBJECT(obj)->socket_path, errp);
}

static char *get_devid(Object *obj, Error **errp)
{
    return g_strdup(REMOTE_OBJECT(obj)->devid);
}

static bool set_devid(Object *obj, const char *value, Error **errp)
{
    RemoteObject *o = REMOTE_OBJECT(obj);

    g_free(o->devid);
    o->devid = g_strdup(value);
    return true;
}

static bool get_auto_shutdown(Object *obj, Error **errp)
{
    return REMOTE_OBJECT(obj)->auto_shutdown;
}

static bool set_auto_shutdown(Object *obj, bool value, Error **errp)
{
    REMOTE_OBJECT(obj)->auto_shutdown = value;
    return true;
}

static uint64_t get_poll_max_ns(Object *obj, Error **errp)
{
    return REMOTE_OBJECT(obj)->poll_max_ns;
}

static bool set_poll_max_ns(Object *obj, uint64_t value, Error **errp)
{
    if (value > NANOSECONDS_PER_SECOND) {
        error_setg(errp, "Parameter 'poll-max-ns' expects a value of at most "
                   "%lld", NANOSECONDS_PER_SECOND);
        return false;
    }
    REMOTE_OBJECT(obj)->poll_max_ns = value;
    return true;
}

static void remote_object_class_init(ObjectClass *oc, void *data)
{
    UserCreatableClass *ucc = USER_CREATABLE_CLASS(oc);

    ucc->complete = remote_object_complete;
    ucc->can_be_deleted = remote_object_can_be_deleted;
    object_class_property_add(oc, "fd", "str", get_fd, set_fd, NULL);
    object_class_property_set_description(oc, "fd",
        "connected or listening UNIX stream socket, by number or name (getfd)");
    object_class_property_add(oc, "socket", "SocketAddress", get_socket,
                              set_socket, NULL);
    object_class_property_set_description(oc, "socket",
        "where to listen: socket.type=unix,socket.path=PATH");
    object_class_property_add_str(oc, "devid", get_devid, set_devid);
    object_class_property_set_description(oc, "devid",
        "id of the device to serve");
    object_class_property_add_bool(oc, "auto-shutdown", get_auto_shutdown,
                                   set_auto_shutdown);
    object_class_property_set_description(oc, "auto-shutdown",
        "end the process when its last link ends (default on)");
    object_class_property_add_uint64(oc, "poll-max-ns", false,
                                     get_poll_max_ns, set_poll_max_ns);
    object_class_property_set_description(oc, "poll-max-ns",
        "longest time to spin for work before sleeping; 0: never");
}

static const TypeInfo remote_object_types[] = {
    {
        .name = TYPE_REMOTE_OBJECT,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(RemoteObject),
        .instance_init = remote_object_init,
        .instance_finalize = remote_object_finalize,
        .class_init = remote_object_class_init,
        .interfaces = (const InterfaceInfo[]){ { TYPE_USER_CREATABLE }, { } },
    },
};
DEFINE_TYPES(remote_object_types)
