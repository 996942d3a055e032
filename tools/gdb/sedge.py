"""sedge.py: what the tasks and coroutines of a stopped sedge, or of its core file, are about.

    (gdb) source tools/gdb/sedge.py
    (gdb) sedge tasks        every worker's tasks; of parked coroutines the frames of their stacks
    (gdb) sedge tasks 20     that many frames

A debugger sees one stack a thread; all others lie in memory, and only the runtime knows where. Workers are
found by the thread-local variable of async/worker.c. Stacks are walked by frame pointers, which sedge is
always built with, so nothing is written and a core file does as well. A free task that waits is known to
its owner alone; those that are runnable are counted."""

import gdb

STATES = ["new", "waits", "scheduled", "runs", "woken while it runs", "complete"]
PHASES = ["new", "ready", "runs", "parked", "ended", "ended, a wake is on its way"]
# What a switch leaves on the stack (switch_*.S): where the frame pointer is, and where to go on. And what
# lies between the frame that switch_tail() calls and its own return address, since it has none there.
LEFT = {"x86-64": (48, 56, 3 * 8), "aarch64": (80, 88, None)}
WORD = 8


def number(value):
    """Of a plain member or an atomic one."""
    return int(value.cast(gdb.lookup_type("unsigned long")))


def text(value):
    return value.string(errors="replace") if value else "?"


def word(address):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, WORD).tobytes(), "little")


def container(address, type_name, member):
    """The struct around a member, as CONTAINER_OF()."""
    kind = gdb.lookup_type(type_name)
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == member)
    return gdb.Value(int(address) - offset).cast(kind.pointer()).dereference()


def each_task(worker):
    head = worker["tasks"].address
    link = head["next"]
    while link != head:
        kind = gdb.lookup_type("struct task")
        # The link lies in an unnamed union.
        offset = int(gdb.parse_and_eval("(unsigned long)&((struct task *)0)->link"))
        yield gdb.Value(int(link) - offset).cast(kind.pointer()).dereference()
        link = link["next"]


def place(pc):
    """What is at an address that a call returns to."""
    name = gdb.execute(f"info symbol {pc - 1:#x}", to_string=True).split(" + ")[0].split(" in section")[0]
    at = gdb.find_pc_line(pc - 1)
    return f"{name.strip()}() at {at.symtab.filename}:{at.line}" if at.symtab else name.strip()


def frames(sp, top, most):
    """From where the coroutine switched away to its function."""
    arch = gdb.selected_inferior().architecture().name()
    at_fp, at_pc, tail = LEFT["aarch64" if "aarch64" in arch else "x86-64"]
    fp, pc = word(sp + at_fp), word(sp + at_pc)
    if not pc:
        yield "its stack is not in this core file (gdb's own gcore stops at guard pages; the kernel does not)"
        return
    for _ in range(most):
        yield place(pc)
        if not sp < fp < top:
            return
        fp, pc, sp = word(fp), word(fp + WORD), fp
        if tail and place(pc).startswith("switch_tail"):
            pc = word(sp + tail)
        if place(pc).startswith("first"):
            return


def show_task(task, most):
    name, state = text(task["name"]), STATES[number(task["state"])]
    kind = "free " if task["free"] else ""
    canceled = ", canceled" if number(task["canceled"]) else ""
    poll = gdb.execute(f"info symbol {int(task['poll']):#x}", to_string=True).split(" in section")[0]
    if poll.strip() != "co_poll":
        print(f"  {kind}task '{name}': {state}{canceled}, polled by {poll.strip()}()")
        return
    co = container(task.address, "struct co", "task")
    phase = int(co["phase"])
    print(f"  {kind}coroutine '{name}': {PHASES[phase]}{canceled}")
    if PHASES[phase] == "parked":
        for n, where in enumerate(frames(int(co["sp"]), int(co["top"]), most)):
            print(f"    #{n} {where}")


def length(deque):
    return max(number(deque["bottom"]) - number(deque["top"]), 0)


def show_worker(worker, most):
    polling = worker["polling"].cast(gdb.lookup_type("char").pointer())
    doing = f"in '{text(polling)}'" if polling else "asleep" if number(worker["sleeping"]) else "between polls"
    print(f"worker {int(worker['index'])}: {doing}")
    for task in each_task(worker):
        show_task(task, most)
    free, spawned = length(worker["share"]["free"]), length(worker["share"]["spawned"])
    if free or spawned:
        print(f"  runnable by any worker: {free} free tasks, {spawned} coroutines that have not begun")


def executors():
    """Of all threads that run a worker, each once."""
    found, before = {}, gdb.selected_thread()
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        try:
            worker = gdb.parse_and_eval("'worker.c'::this_worker")
        except gdb.error:
            continue
        if worker:
            found[int(worker["executor"])] = worker["executor"].dereference()
    before.switch()
    return found.values()


class Sedge(gdb.Command):
    """Commands that know sedge's runtime."""

    def __init__(self):
        super().__init__("sedge", gdb.COMMAND_DATA, prefix=True)


class Tasks(gdb.Command):
    """sedge tasks [FRAMES]: every worker's tasks and coroutines, with the stacks of those that are parked."""

    def __init__(self):
        super().__init__("sedge tasks", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        if not gdb.selected_thread():
            raise gdb.GdbError("There is no process; run or attach, or load a core file.")
        all_of_them = executors()
        if not all_of_them:
            raise gdb.GdbError("No thread runs a worker.")
        for executor in all_of_them:
            for i in range(int(executor["workers"])):
                show_worker(executor["threads"][i]["worker"], int(argument or 12))


Sedge()
Tasks()
