package io.hypercalld.api.driver;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.DmaDirection;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.kernel.CoherentBuffer;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Drivers that use the DMA API for their domain's own requests. */
final class OwnDevices {
  private OwnDevices() {}

  /** A disk writes a block of pages into memory: scattered pages, one request. */
  static boolean disk(DriverRun run) {
    List<Gfn> pages = take(run, run.script().pages());
    try {
      List<Long> buses = run.map(pages, DmaDirection.FROM_DEVICE);
      List<DriverRun.Meant> meant = new ArrayList<>();
      for (int i = 0; i < pages.size(); i++) {
        meant.add(run.meant(buses.get(i), run.domain(), pages.get(i)));
      }
      balloon(run, pages);
      List<byte[]> block = new ArrayList<>();
      for (int i = 0; i < pages.size(); i++) {
        block.add(run.page());
        run.write(buses.get(i), block.get(i), meant.get(i));
      }
      refill(run, pages);
      run.unmap(buses, DmaDirection.FROM_DEVICE);
      boolean arrived = true;
      for (int i = 0; i < pages.size(); i++) {
        arrived &= run.holds(run.domain(), pages.get(i), block.get(i));
      }
      return arrived;
    } finally {
      pages.forEach(page -> run.kernel().pages().giveBack(page, 0));
    }
  }

  private static boolean isBallooned(DriverRun run) {
    return run.script().meanwhile() == DriverScript.Meanwhile.BALLOON;
  }

  private static void balloon(DriverRun run, List<Gfn> pages) {
    if (isBallooned(run)) {
      run.call(
          new DecreaseReservation(
              DomainId.SELF, new GuestFrames.Listed(pages), Optional.empty(), 0, new Word(0)));
      run.did("decrease_reservation", "%d pages under input", pages.size());
    }
  }

  private static void refill(DriverRun run, List<Gfn> pages) {
    if (isBallooned(run)) {
      run.call(
          new PopulatePhysmap(
              DomainId.SELF, new GuestFrames.Listed(pages), Optional.empty(), 0, new Word(0)));
    }
  }

  /** Pages of the kernel's, one by one. */
  static List<Gfn> take(DriverRun run, int count) {
    List<Gfn> pages = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      pages.add(run.kernel().pages().take(0));
    }
    return pages;
  }

  /** A card receives packets where its ring says, and sends them back from there. */
  static boolean card(DriverRun run) {
    CoherentBuffer ring = ring(run);
    List<Gfn> pages = take(run, run.script().pages());
    try {
      boolean arrived = true;
      for (Gfn page : pages) {
        byte[] packet = run.page();
        List<Long> received = run.map(List.of(page), DmaDirection.FROM_DEVICE);
        long told = descriptor(run, ring, received.getFirst());
        run.write(told, packet, run.meant(told, run.domain(), page));
        run.unmap(received, DmaDirection.FROM_DEVICE);
        arrived &= run.holds(run.domain(), page, packet);
        List<Long> sent = run.map(List.of(page), DmaDirection.TO_DEVICE);
        told = descriptor(run, ring, sent.getFirst());
        byte[] wire = run.read(told, packet.length, run.meant(told, run.domain(), page));
        arrived &= Arrays.equals(wire, packet);
        run.unmap(sent, DmaDirection.TO_DEVICE);
      }
      return arrived;
    } finally {
      pages.forEach(page -> run.kernel().pages().giveBack(page, 0));
      run.kernel().coherent().free(ring.gfn());
    }
  }

  private static CoherentBuffer ring(DriverRun run) {
    try {
      run.kernel().probe(run.device());
      CoherentBuffer ring = run.kernel().coherent().allocate(run.device(), PageSize.BYTES_4K);
      run.did("dma_alloc_coherent", "a ring at 0x%x on the bus", ring.bus());
      return ring;
    } catch (Refusal refusal) {
      throw run.failed("dma_alloc_coherent", "%s: %s", refusal.errno(), refusal.reason());
    }
  }

  /** The kernel writes an address into the ring, and the device fetches it from there. */
  private static long descriptor(DriverRun run, CoherentBuffer ring, long bus) {
    byte[] word =
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(bus).array();
    run.host()
        .hypervisor()
        .guestMemory()
        .write(run.domain(), ring.gfn().value() << PageSize.SHIFT_4K, word);
    DriverRun.Meant meant = run.meant(ring.bus(), run.domain(), ring.gfn());
    byte[] fetched = run.read(ring.bus(), Long.BYTES, meant);
    return ByteBuffer.wrap(fetched).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }
}
