package io.hypercalld.core.kernel;

import io.hypercalld.core.dma.DmaDevice;
import io.hypercalld.core.p2m.Gfn;

/**
 * Memory that a driver shares with its device as long as it likes. Immutable.
 *
 * @param order log2 of its pages
 * @param bus the address that the device uses
 */
public record CoherentBuffer(DmaDevice device, Gfn gfn, int order, long bus) {}
