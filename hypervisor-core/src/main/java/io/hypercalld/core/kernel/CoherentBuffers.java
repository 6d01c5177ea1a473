package io.hypercalld.core.kernel;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.dma.DmaDevice;
import io.hypercalld.core.dma.DmaDirection;
import io.hypercalld.core.dma.DmaOperations;
import io.hypercalld.core.dma.DmaOperations.Place;
import io.hypercalld.core.dma.DmaOperations.Shortage;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.transaction.Transaction;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Memory that drivers and devices use at the same time, such as rings: it is never bounced.
 * Confined to the machine thread.
 *
 * @see "Linux arch/i386/kernel/pci-dma-xen.c, dma_alloc_coherent"
 */
public final class CoherentBuffers implements Digestible {
  private final TreeMap<Long, CoherentBuffer> buffers = new TreeMap<>();
  private final KernelPages pages;
  private final DmaOperations dma;
  private final Optional<ContiguousRegions> regions;

  CoherentBuffers(KernelPages pages, DmaOperations dma, Optional<ContiguousRegions> regions) {
    this.pages = pages;
    this.dma = dma;
    this.regions = regions;
  }

  /** Those that there are, by guest frame. */
  public List<CoherentBuffer> all() {
    return List.copyOf(buffers.values());
  }

  /**
   * Allocates memory, whole pages of a power of two.
   *
   * @param length bytes, at least 1
   * @throws Refusal ENOMEM where there are no such pages, or no frames for them that the device can
   *     name: a kernel that has them made contiguous gets 2^7 at most. Nothing changed
   */
  public CoherentBuffer allocate(DmaDevice device, int length) {
    int order = orderOf(length);
    return Transaction.run(
        steps -> {
          Gfn gfn = pages.take(order);
          steps.onFailure(() -> pages.giveBack(gfn, order));
          regions.ifPresent(
              contiguous -> {
                contiguous.create(gfn, order, limit(device));
                steps.onFailure(() -> contiguous.destroy(gfn, order));
              });
          CoherentBuffer buffer = new CoherentBuffer(device, gfn, order, map(device, gfn, order));
          buffers.put(gfn.value(), buffer);
          return buffer;
        });
  }

  private static int orderOf(int length) {
    int pages = (length + PageSize.BYTES_4K - 1) >>> PageSize.SHIFT_4K;
    return Integer.SIZE - Integer.numberOfLeadingZeros(pages - 1);
  }

  private static ContiguousRegions.AddressBits limit(DmaDevice device) {
    return device.maskBits() == Long.SIZE
        ? ContiguousRegions.AddressBits.ANY
        : new ContiguousRegions.AddressBits(device.maskBits());
  }

  private long map(DmaDevice device, Gfn gfn, int order) {
    int length = PageSize.BYTES_4K << order;
    long gpa = gfn.value() << PageSize.SHIFT_4K;
    long bus = dma.map(device, gpa, length, DmaDirection.BIDIRECTIONAL, Shortage.REFUSED);
    if (dma.place(bus) == Place.BOUNCED) {
      dma.unmap(device, bus, length, DmaDirection.TO_DEVICE);
      throw Refusal.of(
          Errno.ENOMEM, "%s cannot name the memory at 0x%x itself", device.name(), gpa);
    }
    return bus;
  }

  /**
   * Takes memory back.
   *
   * @param gfn its first guest frame
   * @throws Refusal EINVAL where it is none; as when it was made
   */
  public void free(Gfn gfn) {
    CoherentBuffer buffer = buffers.get(gfn.value());
    if (buffer == null) {
      throw Refusal.of(Errno.EINVAL, "no coherent memory begins at guest frame %s", gfn);
    }
    int length = PageSize.BYTES_4K << buffer.order();
    dma.unmap(buffer.device(), buffer.bus(), length, DmaDirection.BIDIRECTIONAL);
    regions.ifPresent(contiguous -> contiguous.destroy(gfn, buffer.order()));
    pages.giveBack(gfn, buffer.order());
    buffers.remove(gfn.value());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("coherent").put(buffers.size());
    buffers.forEach(
        (gfn, buffer) ->
            digest.put(gfn).put(buffer.device().name()).put(buffer.order()).put(buffer.bus()));
  }
}
