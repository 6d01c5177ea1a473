/**
 * Interrupts as processors see them: local APICs of vCPUs and of physical processors, and what
 * stands before a domain's (I/O APIC, PIC, PCI interrupt lines).
 *
 * <p>No instruction runs, so nothing takes an interrupt by itself: a vector that arrives stays in
 * IRR until somebody acknowledges it.
 *
 * @see "Intel SDM vol. 3, APIC; xen/arch/x86/hvm/{vlapic,vioapic,vpic,irq}.c"
 */
@NullMarked
package io.hypercalld.core.interrupt;

import org.jspecify.annotations.NullMarked;
