/**
 * What dom0 and driver domains tell their devices as addresses: the four answers to a kernel that
 * programs DMA and is not told where its memory is.
 *
 * <p>A <em>bus address</em> is what a device puts on the bus. Whether it is the frame's place in
 * the machine or a name that a remapping unit translates depends on the {@link
 * io.hypercalld.core.dma.DmaMode}. Frames and owners, never what a kernel meant, decide whether an
 * access hit a {@link io.hypercalld.core.dma.Victim}.
 *
 * <p>Depends on the rest of the core only: it does not know what a remapping unit is.
 *
 * @see "spec/documents.md 4"
 */
@NullMarked
package io.hypercalld.core.dma;

import org.jspecify.annotations.NullMarked;
