package io.hypercalld.api.driver;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.DmaDirection;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * Drivers that know nothing of the DMA API: what they take for a bus address is a guest-physical
 * one.
 *
 * @see "spec/documents.md S3-M5, S3-D10"
 */
final class OldDevices {
  /** Where old adapters have their frame buffer, and their text. */
  static final long VGA = 0xa_0000;

  static final long TEXT = 0xb_8000;

  private static final int SECTOR = 512;
  private static final int LINE = 80;

  private OldDevices() {}

  /** A disk writes a sector to the address of the driver's buffer. */
  static boolean disk(DriverRun run) {
    Gfn page = take(run);
    try {
      byte[] sector = Arrays.copyOf(run.page(), SECTOR);
      long address = page.value() << PageSize.SHIFT_4K;
      run.did("virt_to_phys", "the buffer is at 0x%x", address);
      run.write(address, sector, run.meant(run.domain(), page));
      return run.holds(run.domain(), page, sector);
    } finally {
      giveBack(run, page);
    }
  }

  private static Gfn take(DriverRun run) {
    return run.script().page().orElseGet(() -> run.kernel().pages().take(0));
  }

  private static void giveBack(DriverRun run, Gfn page) {
    if (run.script().page().isEmpty()) {
      run.kernel().pages().giveBack(page, 0);
    }
  }

  /**
   * A graphics device fetches a page of a picture by the table that the driver has filled, with
   * guest-physical addresses, or as it was ported with what {@code phys_to_gart} says.
   */
  static boolean aperture(DriverRun run) {
    Gfn picture = take(run);
    Gfn table = run.kernel().pages().take(0);
    try {
      byte[] pixels = run.page();
      write(run, picture, pixels);
      List<Long> addresses =
          run.script().ported()
              ? run.map(List.of(table, picture), DmaDirection.TO_DEVICE)
              : raw(run, List.of(table, picture));
      write(run, table, word(addresses.getLast()));
      byte[] entry = run.read(addresses.getFirst(), Long.BYTES, run.meant(run.domain(), table));
      long fetched = ByteBuffer.wrap(entry).order(ByteOrder.LITTLE_ENDIAN).getLong();
      byte[] shown = run.read(fetched, pixels.length, run.meant(run.domain(), picture));
      if (run.script().ported()) {
        run.unmap(addresses, DmaDirection.TO_DEVICE);
      }
      return Arrays.equals(shown, pixels);
    } finally {
      run.kernel().pages().giveBack(table, 0);
      giveBack(run, picture);
    }
  }

  private static List<Long> raw(DriverRun run, List<Gfn> pages) {
    run.did("virt_to_phys", "table and picture by their guest-physical addresses");
    return pages.stream().map(page -> page.value() << PageSize.SHIFT_4K).toList();
  }

  private static byte[] word(long value) {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  private static void write(DriverRun run, Gfn gfn, byte[] data) {
    run.host()
        .hypervisor()
        .guestMemory()
        .write(run.domain(), gfn.value() << PageSize.SHIFT_4K, data);
  }

  /** The processor writes to an adapter, which shows what is in its own memory. */
  static boolean screen(DriverRun run, long buffer) {
    byte[] line = Arrays.copyOf(run.page(), LINE);
    ByteBuffer words = ByteBuffer.wrap(line).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < LINE; at += Long.BYTES) {
      store(run, buffer + at, words.getLong(at));
    }
    P2mLookup found = run.domain().p2m().lookup(new Gfn(buffer >>> PageSize.SHIFT_4K));
    run.did(
        "memcpy_toio",
        "guest frame 0x%x is %s, frame %s; the adapter is at frame 0x%x",
        buffer >>> PageSize.SHIFT_4K,
        found.type(),
        found.mfn(),
        buffer >>> PageSize.SHIFT_4K);
    byte[] shown = new byte[LINE];
    run.host().hypervisor().memory().read(buffer, shown, 0, LINE);
    return Arrays.equals(shown, line);
  }

  private static void store(DriverRun run, long gpa, long value) {
    var request =
        new GuestRequest(
            0, new Word(gpa), Long.BYTES, GuestRequest.Operation.WRITE, new Word(value));
    AccessOutcome outcome = run.host().hypervisor().guestAccess().perform(run.domain(), request);
    if (outcome.isUnfinished() || outcome.outcome() == AccessOutcome.Verdict.FAULT) {
      throw run.failed(
          "memcpy_toio", "%s: %s", outcome.outcome(), outcome.reason().orElse("no memory"));
    }
  }
}
