package io.hypercalld.core.kernel;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.dma.DmaDevice;
import io.hypercalld.core.dma.DmaDirection;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DmaOperations;
import io.hypercalld.core.dma.DmaOperations.Place;
import io.hypercalld.core.dma.DmaOperations.Shortage;
import io.hypercalld.core.dma.KernelPanic;
import io.hypercalld.core.dma.SoftwareIotlb;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.GuestCalls;
import io.hypercalld.core.transaction.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A booted kernel: the DMA API that drivers call, and the memory behind it. Confined to the machine
 * thread.
 *
 * @see "Linux Documentation/core-api/dma-api.rst"
 */
public final class RunningKernel implements Digestible {
  private final KernelLog log = new KernelLog();
  private final Domain domain;
  private final DmaMode mode;
  private final KernelPages pages;
  private final DmaOperations dma;
  private final CoherentBuffers coherent;
  private final Optional<ContiguousRegions> regions;
  private final GuestCalls xen;

  RunningKernel(Domain domain, DmaMode mode, KernelPages pages, KernelParts parts) {
    this.domain = domain;
    this.mode = mode;
    this.pages = pages;
    this.dma = parts.dma();
    this.regions = parts.regions();
    this.xen = parts.xen();
    this.coherent = new CoherentBuffers(pages, dma, regions);
  }

  /** The address mode that it was booted in. */
  public DmaMode mode() {
    return mode;
  }

  /** What it has said. */
  public KernelLog log() {
    return log;
  }

  /** Pages that it keeps for itself and its drivers. */
  public KernelPages pages() {
    return pages;
  }

  /** What is mapped, and what was bounced. */
  public DmaOperations dma() {
    return dma;
  }

  /** Its bounce buffers, where it has any. */
  public Optional<SoftwareIotlb> bounces() {
    return dma.bounces();
  }

  /** Where it makes hypercalls. */
  public GuestCalls xen() {
    return xen;
  }

  /** Memory that drivers share with their devices. */
  public List<CoherentBuffer> coherentBuffers() {
    return coherent.all();
  }

  /**
   * Where drivers get memory that they share with devices.
   *
   * @throws Refusal EINVAL where it runs no more
   */
  public CoherentBuffers coherent() {
    requireAlive();
    return coherent;
  }

  /**
   * How it makes pages contiguous for devices; no mode with a remapping unit, or where guest frames
   * are machine frames, needs that.
   *
   * @throws Refusal EOPNOTSUPP there
   */
  public ContiguousRegions regions() {
    requireAlive();
    return regions.orElseThrow(
        () -> Refusal.of(Errno.EOPNOTSUPP, "pages are always contiguous in mode %s", mode));
  }

  /**
   * A driver takes a device up, if none has.
   *
   * @throws Refusal as the hypercalls that this takes
   */
  public void probe(DmaDevice device) {
    requireAlive();
    dma.attach(device);
  }

  /**
   * {@code dma_map_single}; see {@link DmaOperations#map}.
   *
   * @throws KernelPanic it is then dead, and the domain has crashed
   */
  public long map(
      DmaDevice device, long gpa, int length, DmaDirection direction, Shortage shortage) {
    requireAlive();
    try {
      long bus = dma.map(device, gpa, length, direction, shortage);
      if (dma.place(bus) == Place.OVERFLOW) {
        warnOfOverflow(device, length);
      }
      return bus;
    } catch (KernelPanic panic) {
      log.say("%s", outOfSpace(device, length));
      log.say("Kernel panic - not syncing: %s", panic.words());
      KernelNotice.tell(domain, KernelNotice.PANIC, panic.words());
      domain.crash(panic.words());
      throw panic;
    }
  }

  private static String outOfSpace(DmaDevice device, int length) {
    return "PCI-DMA: Out of SW-IOMMU space for %d bytes at device %s"
        .formatted(length, device.name());
  }

  private void warnOfOverflow(DmaDevice device, int length) {
    log.say("%s", outOfSpace(device, length));
    int users = dma.bounces().map(SoftwareIotlb::overflowUsers).orElse(0);
    if (users > 1) {
      String words =
          "PCI-DMA: %d buffers share the overflow buffer, their data is corrupt".formatted(users);
      log.say("%s", words);
      KernelNotice.tell(domain, KernelNotice.CORRUPTION, words);
    }
  }

  /**
   * {@code dma_map_sg}: every buffer or none; they stay as many as they are.
   *
   * @return the bus addresses, in the order of the buffers
   * @throws Refusal as {@link DmaOperations#map}, and ENOMEM where no bounce buffer is free;
   *     nothing is mapped
   */
  public List<Long> map(DmaDevice device, List<Buffer> buffers, DmaDirection direction) {
    requireAlive();
    dma.expect(buffers.stream().map(Buffer::address).toList());
    try {
      return mapAll(device, buffers, direction);
    } finally {
      dma.expect(List.of());
    }
  }

  private List<Long> mapAll(DmaDevice device, List<Buffer> buffers, DmaDirection direction) {
    return Transaction.run(
        steps -> {
          dma.bounces().map(SoftwareIotlb::forgetting).ifPresent(steps::onFailure);
          List<Long> found = new ArrayList<>();
          for (Buffer buffer : buffers) {
            long bus = dma.map(device, buffer.address, buffer.length, direction, Shortage.REFUSED);
            // What no device has seen yet is not copied back.
            steps.onFailure(() -> dma.unmap(device, bus, buffer.length, DmaDirection.TO_DEVICE));
            found.add(bus);
          }
          return found;
        });
  }

  /** A part of the kernel's memory by guest-physical address, or of the bus. */
  public record Buffer(long address, int length) {}

  /**
   * {@code dma_unmap_single} and {@code dma_unmap_sg}; see {@link DmaOperations#unmap}.
   *
   * @param buffers by their bus addresses
   * @throws Refusal EINVAL where one is not mapped. Nothing changed
   */
  public void unmap(DmaDevice device, List<Buffer> buffers, DmaDirection direction) {
    requireAlive();
    buffers.forEach(buffer -> dma.requireMapped(device, buffer.address, buffer.length));
    buffers.forEach(buffer -> dma.unmap(device, buffer.address, buffer.length, direction));
  }

  /** {@code dma_sync_single_for_cpu} and {@code _for_device}; see {@link DmaOperations#sync}. */
  public void sync(long bus, int length, DmaDirection towards) {
    requireAlive();
    dma.sync(bus, length, towards);
  }

  /** Whether it runs: it has not panicked, nor its domain ended otherwise. */
  public boolean isAlive() {
    return !domain.run().isShutDown();
  }

  private void requireAlive() {
    if (!isAlive()) {
      throw Refusal.of(Errno.EINVAL, "the kernel of %s runs no more", domain.id());
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("kernel").put(mode.name()).put(pages).put(dma).put(coherent).put(log);
  }
}
