"""The work of a ``Machine`` in one compiled loop, where llvmlite is installed: the same steps, on parts at a time.

NumPy takes each step through all of a text before the next one, so that every step's operands come from memory. Here
all steps are taken on some kilobytes, which stay in the cache, then on the next. The
results are the same bits; nothing needs llvmlite.
"""

import ctypes
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

__all__ = ["ADVANCE", "OPERATIONS", "TURNS", "Run", "Step", "engine"]

#: How many bytes of a stream are worked on at a time.
ADVANCE = 4096

#: The numbers of the operations on two operands and a result.
OPERATIONS = {"and": 0, "or": 1, "xor": 2, "not": 3}
#: The numbers of those that swap bits between two operands: for each distance, which bits.
TURNS = {4: 0x0F0F0F0F0F0F0F0F, 2: 0x3333333333333333, 1: 0x5555555555555555}

#: An operation, then for each of both operands and the result its address and how far it moves for each byte.
Step = tuple[int, int, int, int, int, int, int]
Run = Callable[[int, int, int, int, int, int], None]

_LANES = 8


def _all(value: int) -> str:
    return "<" + ", ".join([f"i64 {value}"] * _LANES) + ">"


def _loop(number: int, lines: Iterable[str]) -> str:
    """Return the loop of an operation: ``%va`` and ``%vb`` are of its operands at ``%pa`` and ``%pb``."""
    text = """
op#: br label %loop#
loop#:
  %i# = phi i64 [ 0, %op# ], [ %n#, %loop# ]
  %pa# = getelementptr i8, ptr %a, i64 %i#
  %pb# = getelementptr i8, ptr %b, i64 %i#
  %pc# = getelementptr i8, ptr %c, i64 %i#
  %va# = load V, ptr %pa#, align 1
  %vb# = load V, ptr %pb#, align 1
  BODY
  %n# = add i64 %i#, 64
  %m# = icmp ult i64 %n#, %width
  br i1 %m#, label %loop#, label %next
"""
    return text.replace("BODY", "\n  ".join(lines)).replace("#", str(number)).replace("V", f"<{_LANES} x i64>")


def _operation(name: str) -> str:
    value = f"{name} V %va#, %vb#" if name != "not" else f"xor V %va#, {_all(-1)}"
    return _loop(OPERATIONS[name], (f"%r# = {value}", "store V %r#, ptr %pc#, align 1"))


def _turn(distance: int) -> str:
    lines = (
        f"%s# = lshr V %va#, {_all(distance)}",
        "%x# = xor V %s#, %vb#",
        f"%t# = and V %x#, {_all(TURNS[distance])}",
        "%h# = xor V %vb#, %t#",
        "store V %h#, ptr %pb#, align 1",
        f"%l# = shl V %t#, {_all(distance)}",
        "%r# = xor V %va#, %l#",
        "store V %r#, ptr %pa#, align 1",
    )
    return _loop(len(OPERATIONS) + distance, lines)


def _source() -> str:
    """Return the program: for each part of the streams, each step in turn."""
    operands = "".join(
        f"""
  %{name}0 = getelementptr i64, ptr %p, i64 {2 * index + 1}
  %{name}1 = load i64, ptr %{name}0
  %{name}2 = getelementptr i64, ptr %p, i64 {2 * index + 2}
  %{name}3 = load i64, ptr %{name}2
  %{name}4 = mul i64 %{name}3, %x
  %{name}5 = add i64 %{name}1, %{name}4
  %{name} = inttoptr i64 %{name}5 to ptr"""
        for index, name in enumerate("abc")
    )
    known = [*OPERATIONS.values(), *(len(OPERATIONS) + distance for distance in TURNS)]
    return f"""
define void @run(ptr %code, i64 %steps, i64 %first, i64 %last, i64 %advance, i64 %width) {{
start: br label %part
part:
  %x = phi i64 [ %first, %start ], [ %following, %done ]
  br label %step
step:
  %k = phi i64 [ 0, %part ], [ %k1, %next ]
  %row = mul i64 %k, 7
  %p = getelementptr i64, ptr %code, i64 %row
  %op = load i64, ptr %p{operands}
  switch i64 %op, label %next [ {" ".join(f"i64 {number}, label %op{number}" for number in known)} ]
{"".join(map(_operation, OPERATIONS))}{"".join(map(_turn, TURNS))}
next:
  %k1 = add i64 %k, 1
  %more = icmp ult i64 %k1, %steps
  br i1 %more, label %step, label %done
done:
  %following = add i64 %x, %advance
  %again = icmp ult i64 %following, %last
  br i1 %again, label %part, label %end
end: ret void
}}
"""


@cache
def engine() -> Run | None:
    """Return what runs steps, or None where llvmlite is not installed.

    It takes the address of the steps and how many they are, then from where to where in the streams, how far it goes
    on each time, and how many bytes it works on, a multiple of 64.
    """
    try:
        from llvmlite import binding  # noqa: PLC0415 (an extra that takes 50 ms to import: only where it is used)
    except ImportError:
        return None
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten(), opt=2
    )
    compiler: Any = binding.create_mcjit_compiler(binding.parse_assembly(_source()), machine)
    compiler.finalize_object()
    _kept.append(compiler)
    return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 6)(compiler.get_function_address("run"))


_kept: list[Any] = []  # what is compiled goes with its compiler
