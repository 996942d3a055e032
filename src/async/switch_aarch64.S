/* switch_aarch64: see switch_internal.h. AAPCS64: x19 … x29, the low halves of v8 … v15 and the control
 * bits of fpcr are the callee's to keep; x30 is where to go on.
 *
 * A stack that was left, from its pointer up: 0 x19 … x28, 80 x29 x30, 96 d8 … d15, 160 fpcr */
    .text
    .p2align 5
    .globl switch_stack
    .hidden switch_stack
    .type switch_stack, %function
switch_stack:
    .cfi_startproc
    hint #34 /* bti c */
    sub sp, sp, #176
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mrs x9, fpcr
    str x9, [sp, #160]
    mov x10, sp
    str x10, [x0]
go_on: /* x1: where to, x9: fpcr as it is */
    mov sp, x1
    ldr x10, [sp, #160]
    cmp x9, x10
    b.eq 1f
    msr fpcr, x10 /* slow, and it rarely differs */
1:  ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #176
    adr x10, first
    cmp x30, x10
    b.eq first
    ret
    .cfi_endproc
    .size switch_stack, . - switch_stack

    .p2align 4
    .globl switch_frame
    .hidden switch_frame
    .type switch_frame, %function
switch_frame:
    .cfi_startproc
    hint #34
    sub x0, x0, #176
    stp x1, x2, [x0, #0]
    stp x3, xzr, [x0, #16]
    stp xzr, xzr, [x0, #32]
    stp xzr, xzr, [x0, #48]
    stp xzr, xzr, [x0, #64]
    adr x9, first
    stp xzr, x9, [x0, #80]
    stp xzr, xzr, [x0, #96]
    stp xzr, xzr, [x0, #112]
    stp xzr, xzr, [x0, #128]
    stp xzr, xzr, [x0, #144]
    str xzr, [x0, #160] /* fpcr as a program begins: round to nearest, nothing traps */
    ret
    .cfi_endproc
    .size switch_frame, . - switch_frame

    .p2align 4
    .type first, %function
first:
    .cfi_startproc
    .cfi_undefined x30 /* a debugger's backtrace ends here */
    sub sp, sp, #176 /* the frame's place stays free for the next who starts on this stack */
    mov x0, x19
    bl co_begin
    mov x0, x21
    blr x20
    mov x1, x0
    mov x0, x19
    bl co_end
    mov x1, x0
    mrs x9, fpcr
    b go_on
    .cfi_endproc
    .size first, . - first

/* Always a return: a jump to where no call target is marked may be forbidden (BTI). */
    .p2align 4
    .globl switch_tail
    .hidden switch_tail
    .type switch_tail, %function
switch_tail:
    .cfi_startproc
    hint #34
    stp x29, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    mov x29, sp
    mov x9, x4
    mov x4, x30
    blr x9
    ldp x29, x30, [sp], #16
    .cfi_def_cfa_offset 0
    .cfi_restore x29
    .cfi_restore x30
    ret
    .cfi_endproc
    .size switch_tail, . - switch_tail

    .section .note.GNU-stack, "", %progbits
