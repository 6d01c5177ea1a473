/**
 * The hypervisor without its devices, put together.
 *
 * <p>Words used everywhere:
 *
 * <ul>
 *   <li><em>machine address</em> ({@code maddr}): a byte of the simulated machine's memory; <em>mfn
 *       </em>: the 4 KiB frame that holds it
 *   <li><em>guest-physical address</em> ({@code gpa}), <em>gfn</em>: the same as a domain sees it
 *   <li><em>P2M</em>: a domain's table from gfn to mfn; <em>M2P</em>: the way back
 *   <li><em>domain</em>: a virtual machine; <em>dom0</em>: the first and privileged one
 *   <li><em>refusal</em>: an errno with a reason, and nothing changed
 *   <li><em>facet</em>: what another module keeps for a domain
 * </ul>
 *
 * <p>Depends on every package below it; nothing below depends on it.
 */
@NullMarked
package io.hypercalld.core;

import org.jspecify.annotations.NullMarked;
