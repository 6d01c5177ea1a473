/**
 * Drivers as scripts: what disks, network cards, old devices and the back ends of other domains' do
 * with a kernel's DMA API or without it, and where their bytes end.
 *
 * <p>Every step is one that a kernel or a device really makes: a hypercall, a call of the DMA API,
 * an access by processor or device. Facts: spec/documents.md 4.
 */
@NullMarked
package io.hypercalld.api.driver;

import org.jspecify.annotations.NullMarked;
