/* switch_x86_64: see switch_internal.h. System V ABI: rbx, rbp, r12 … r15, the control bits of mxcsr
 * and the x87 control word are the callee's to keep.
 *
 * A stack that was left, from its pointer up:
 *     0 mxcsr, 4 x87 control word, 8 r15, 16 r14, 24 r13, 32 r12, 40 rbx, 48 rbp, 56 where to go on */
    .text
    .p2align 5
    .globl switch_stack
    .hidden switch_stack
    .type switch_stack, @function
switch_stack:
    .cfi_startproc
    stmxcsr -56(%rsp)
    fnstcw -52(%rsp)
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    movq %rsp, (%rdi)
    movl (%rsp), %eax
    movzwl 4(%rsp), %edx
go_on:
    movq %rsi, %rsp
    movq 8(%rsp), %r15
    movq 16(%rsp), %r14
    movq 24(%rsp), %r13
    movq 32(%rsp), %r12
    movq 40(%rsp), %rbx
    movq 48(%rsp), %rbp
    xorl (%rsp), %eax
    testl $0xffffffc0, %eax
    jne 3f
1:  cmpw %dx, 4(%rsp)
    jne 4f
2:  leaq first(%rip), %rcx
    addq $56, %rsp
    cmpq %rcx, (%rsp)
    je 5f
    ret
3:  ldmxcsr (%rsp)
    jmp 1b
4:  fldcw 4(%rsp)
    jmp 2b
5:  addq $8, %rsp
    jmp first
    .cfi_endproc
    .size switch_stack, . - switch_stack

    .p2align 4
    .globl switch_frame
    .hidden switch_frame
    .type switch_frame, @function
switch_frame:
    .cfi_startproc
    leaq -64(%rdi), %rax
    movl $0x1f80, (%rax) /* as a program begins: round to nearest, nothing traps; reading is slow */
    movl $0x037f, 4(%rax)
    movq $0, 8(%rax)
    movq %rcx, 16(%rax)
    movq %rdx, 24(%rax)
    movq %rsi, 32(%rax)
    movq $0, 40(%rax)
    movq $0, 48(%rax)
    leaq first(%rip), %rcx
    movq %rcx, 56(%rax)
    ret
    .cfi_endproc
    .size switch_frame, . - switch_frame

    .p2align 4
    .type first, @function
first:
    .cfi_startproc
    .cfi_undefined rip /* a debugger's backtrace ends here */
    subq $64, %rsp /* the frame's place stays free for the next who starts on this stack */
    movq %r12, %rdi
    call co_begin
    movq %r14, %rdi
    call *%r13
    movq %r12, %rdi
    movq %rax, %rsi
    call co_end
    movq %rax, %rsi
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movl (%rsp), %eax
    movzwl 4(%rsp), %edx
    jmp go_on
    .cfi_endproc
    .size first, . - first

    .p2align 4
    .globl switch_tail
    .hidden switch_tail
    .type switch_tail, @function
switch_tail:
    .cfi_startproc
    movq %r8, %rax
    movq (%rsp), %r8
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call *%rax
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    cmpq %rdx, (%rsp)
    jne 6f
    ret
6:  popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    jmp *%rcx
    .cfi_endproc
    .size switch_tail, . - switch_tail

    .section .note.GNU-stack, "", @progbits
