/** Tests of the DMA API and its bounce buffers. */
@NullMarked
package io.hypercalld.core.dma;

import org.jspecify.annotations.NullMarked;
