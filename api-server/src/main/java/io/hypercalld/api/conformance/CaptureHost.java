package io.hypercalld.api.conformance;

import io.hypercalld.iommu.unit.InterruptOutcome;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.DmaAccess;
import io.hypercalld.iommu.vtd.InterruptMessage;
import io.hypercalld.iommu.vtd.Mmio;
import java.util.List;
import java.util.OptionalLong;

/**
 * What a recorded driver is put to: a unit with its registers, and the memory and the devices that
 * the driver takes for its machine's. Confined to one thread.
 */
interface CaptureHost extends AutoCloseable {
  /** The unit's insides. */
  RemappingUnit unit();

  /** The unit's registers as software reaches them. */
  Mmio window();

  /** Whether software has RAM at all of some addresses. */
  boolean isRam(long address, long bytes);

  /** The bytes that software reads; zeros where there is no RAM. */
  byte[] bytes(long address, int length);

  /** The word that software reads; zero where there is no RAM. */
  long word(long address);

  /** Stores a word as software does; what is no RAM keeps nothing. */
  void store(CorpusCase.Word word);

  /** Where in the machine lies what software has at an address; empty where nothing does. */
  OptionalLong place(long address);

  /**
   * A device asks for a page.
   *
   * @param meant where software has what the device is to reach
   */
  Passage request(Request request, long meant);

  /** A device sends an interrupt message. */
  InterruptOutcome interrupt(int sourceId, long address, int data);

  /** The messages that reached processors since the last call. */
  List<InterruptMessage> takeMessages();

  /** How the judge sees it. */
  default Instruments instruments() {
    return Instruments.EXACT;
  }

  /** What there was about the requests besides where they went; empty where there was nothing. */
  default String remarks() {
    return "";
  }

  @Override
  void close();

  /** What a device asks for. */
  record Request(int sourceId, long iova, DmaAccess access) {
    @Override
    public String toString() {
      return "%s of 0x%x by 0x%x".formatted(access, iova, sourceId);
    }
  }

  /**
   * What became of a request.
   *
   * @param maddr where in the machine it arrived; empty where it was blocked
   * @param words the same, and why, for people
   */
  record Passage(OptionalLong maddr, String words) {}
}
