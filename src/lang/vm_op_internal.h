/* vm_op_internal: the instructions that are functions. Private to lang/. */
#pragma once

#include "lang/vm_internal.h"

#define VM_SLOW(X)                                                                                 \
    X(MATH, math)                                                                                  \
    X(POWF, powf)                                                                                  \
    X(ROUNDF, roundf)                                                                              \
    X(ROUNDI, roundi)                                                                              \
    X(NEEDB, need)                                                                                 \
    X(NEEDI, need)                                                                                 \
    X(NEEDF, need)                                                                                 \
    X(NEEDO, need)                                                                                 \
    X(TRAP, need)                                                                                  \
    X(EQO, eqo)                                                                                    \
    X(SETV, setv)                                                                                  \
    X(RECORD, record)                                                                              \
    X(CLOSURE, closure)                                                                            \
    X(SETF, setf)                                                                                  \
    X(LIST, list)                                                                                  \
    X(LISTN, listn)                                                                                \
    X(LGET, lget)                                                                                  \
    X(LSET, lset)                                                                                  \
    X(LAT, lat)                                                                                    \
    X(LLAST, llast)                                                                                \
    X(LPUSH, lpush)                                                                                \
    X(LPOP, lpop)                                                                                  \
    X(LINSERT, linsert)                                                                            \
    X(LREMOVE, lremove)                                                                            \
    X(LCLEAR, lclear)                                                                              \
    X(LSORT, lsort)                                                                                \
    X(LREVERSE, lreverse)                                                                          \
    X(LHAS, lhas)                                                                                  \
    X(MAP, map)                                                                                    \
    X(MGET, mget)                                                                                  \
    X(MSET, mset)                                                                                  \
    X(MHAS, mhas)                                                                                  \
    X(MREMOVE, mremove)                                                                            \
    X(MLEN, mlen)                                                                                  \
    X(MKEYS, mkeys)                                                                                \
    X(MVALUES, mvalues)                                                                            \
    X(MCLEAR, mclear)                                                                              \
    X(CONCAT, concat)                                                                              \
    X(SLEN, slen)                                                                                  \
    X(STEST, stest)                                                                                \
    X(SMAKE, smake)                                                                                \
    X(SLICE, slice)                                                                                \
    X(SPLIT, split)                                                                                \
    X(STOI, stoi)                                                                                  \
    X(STOF, stof)                                                                                  \
    X(CHAN, chan)                                                                                  \
    X(CCLOSE, cclose)                                                                              \
    X(CLEN, clen)                                                                                  \
    X(SPAWN, spawn)                                                                                \
    X(HBIND, hbind)                                                                                \
    X(HGROUP, hgroup)                                                                              \
    X(HMOVE, hmove)                                                                                \
    X(HDROP, hdrop)                                                                                \
    X(DROPB, dropb)                                                                                \
    X(READ, read)                                                                                  \
    X(READH, readh)                                                                                \
    X(HNAME, hname)                                                                                \
    X(STALE, stale)                                                                                \
    X(STALEH, staleh)                                                                              \
    X(SLOPE, slope)                                                                                \
    X(REVOKE, revoke)                                                                              \
    X(REVOKEH, revokeh)                                                                            \
    X(RANDOM, random)                                                                              \
    X(STATE, state)                                                                                \
    X(PUBLISH, publish)

#define VM_CONTROL(X)                                                                              \
    X(FORMAP, formap)                                                                              \
    X(SEND, send)                                                                                  \
    X(TRYSEND, trysend)                                                                            \
    X(RECV, recv)                                                                                  \
    X(SELECT, select)                                                                              \
    X(SLEEP, sleep)                                                                                \
    X(LEASE, lease)                                                                                \
    X(RELEASE, release)                                                                            \
    X(COMMAND, command)                                                                            \
    X(COMMANDH, commandh)

#define X(name, fn) vm_slow_fn op_##fn;
VM_SLOW(X)
#undef X
#define X(name, fn) vm_control_fn op_##fn;
VM_CONTROL(X)
#undef X
