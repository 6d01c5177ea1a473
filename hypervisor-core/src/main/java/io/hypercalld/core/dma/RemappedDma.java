package io.hypercalld.core.dma;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.transaction.Transaction;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The DMA API of a kernel whose devices are behind a remapping unit: every buffer gets bus
 * addresses of its own, which lead to it until it is unmapped, and nothing is ever copied. Confined
 * to the machine thread.
 *
 * @see "Linux drivers/iommu/dma-iommu.c; spec/documents.md S1-D22"
 */
public final class RemappedDma implements DmaOperations {
  private static final long IN_PAGE = PageSize.BYTES_4K - 1L;

  private final BusPages busPages = new BusPages();
  private final TreeMap<Long, Mapping> mappings = new TreeMap<>();
  private final RemappingCalls calls;

  public RemappedDma(RemappingCalls calls) {
    this.calls = calls;
  }

  /** A buffer: where it is on the bus and in memory, and for whom. */
  private record Mapping(DmaDevice device, RemappingCalls.Run run, int length) {}

  @Override
  public void attach(DmaDevice device) {
    calls.attach(device);
  }

  @Override
  public void close() {
    calls.close();
  }

  @Override
  public long map(
      DmaDevice device, long gpa, int length, DmaDirection direction, Shortage shortage) {
    long gfn = gpa >>> PageSize.SHIFT_4K;
    int pages = (int) (((gpa & IN_PAGE) + length + IN_PAGE) >>> PageSize.SHIFT_4K);
    long end = device.end() >>> PageSize.SHIFT_4K;
    long bus =
        Transaction.run(
            steps -> {
              long first = busPages.take(gfn, pages, end);
              steps.onFailure(() -> busPages.giveBack(first, pages));
              RemappingCalls.Run run = new RemappingCalls.Run(first, gfn, pages);
              establish(steps, device, run, direction.permission());
              mappings.put(first, new Mapping(device, run, length));
              return first;
            });
    return (bus << PageSize.SHIFT_4K) + (gpa & IN_PAGE);
  }

  private void establish(
      Transaction steps, DmaDevice device, RemappingCalls.Run run, DmaPermission permission) {
    for (int done = 0; done < run.pages(); done += RemappingCalls.MOST_PAGES) {
      RemappingCalls.Run part = part(run, done);
      calls.map(device, part, permission);
      steps.onFailure(() -> calls.unmap(device, part));
    }
  }

  private static RemappingCalls.Run part(RemappingCalls.Run run, int from) {
    int pages = Math.min(run.pages() - from, RemappingCalls.MOST_PAGES);
    return new RemappingCalls.Run(run.bus() + from, run.gfn() + from, pages);
  }

  @Override
  public void unmap(DmaDevice device, long bus, int length, DmaDirection direction) {
    RemappingCalls.Run run = mapped(device, bus, length);
    for (int done = 0; done < run.pages(); done += RemappingCalls.MOST_PAGES) {
      calls.unmap(device, part(run, done));
    }
    mappings.remove(run.bus());
    busPages.giveBack(run.bus(), run.pages());
  }

  @Override
  public void requireMapped(DmaDevice device, long bus, int length) {
    mapped(device, bus, length);
  }

  private RemappingCalls.Run mapped(DmaDevice device, long bus, int length) {
    Mapping mapping = mappings.get(bus >>> PageSize.SHIFT_4K);
    if (mapping == null
        || mapping.length != length
        || !mapping.device.name().equals(device.name())) {
      throw Refusal.of(Errno.EINVAL, "%d bytes at 0x%x of the bus are not mapped", length, bus);
    }
    return mapping.run;
  }

  @Override
  public void sync(long bus, int length, DmaDirection towards) {
    if (!isMapped(bus) || !isMapped(bus + length - 1)) {
      throw Refusal.of(Errno.EINVAL, "%d bytes at 0x%x of the bus are not mapped", length, bus);
    }
  }

  @Override
  public Place place(long bus) {
    return Place.REMAPPED;
  }

  @Override
  public boolean isMapped(long bus) {
    long page = bus >>> PageSize.SHIFT_4K;
    Map.Entry<Long, Mapping> before = mappings.floorEntry(page);
    return before != null && page < before.getKey() + before.getValue().run.pages();
  }

  @Override
  public Optional<SoftwareIotlb> bounces() {
    return Optional.empty();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("remapped-dma").put(busPages).put(mappings.size());
    mappings.forEach(
        (bus, mapping) ->
            digest
                .put(bus)
                .put(mapping.device.name())
                .put(mapping.run.gfn())
                .put(mapping.run.pages())
                .put(mapping.length));
  }
}
