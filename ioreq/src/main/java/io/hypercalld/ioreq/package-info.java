/**
 * IOREQ servers: device models outside the hypervisor that answer for ranges of guest addresses,
 * I/O ports, PCI configuration space and page types.
 *
 * <p>Three packages, each knowing only those before it:
 *
 * <ul>
 *   <li>{@code page}: the request page that a server shares with the hypervisor, its slots and the
 *       ring of buffered requests, as bytes in machine memory;
 *   <li>{@code server}: the servers of a domain, their ranges and the page types they claim;
 *   <li>{@code dispatch}: the way of an access from a virtual CPU to a server and back.
 * </ul>
 *
 * <p>Depends on {@code io.hypercalld.core}, and knows nothing of DMA.
 */
@NullMarked
package io.hypercalld.ioreq;

import org.jspecify.annotations.NullMarked;
