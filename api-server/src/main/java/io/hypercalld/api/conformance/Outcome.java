package io.hypercalld.api.conformance;

import io.hypercalld.iommu.unit.DmaSegment;

/** What becomes of one memory request, as far as a recording can tell. Immutable. */
sealed interface Outcome {
  /** It went on, to this machine address, whether or not there is RAM. */
  record Passed(long maddr) implements Outcome {
    @Override
    public String toString() {
      return "ok:0x" + Long.toHexString(maddr);
    }
  }

  /** It was blocked with a fault that software is told about. */
  record Faulted(int reason) implements Outcome {
    @Override
    public String toString() {
      return "fault:0x" + Integer.toHexString(reason);
    }
  }

  /** It was blocked, and software is not told: FPD keeps the fault from it. */
  record Suppressed() implements Outcome {
    @Override
    public String toString() {
      return "fpd";
    }
  }

  /** It never became a memory request that the unit translates. */
  record NotTranslated(String why) implements Outcome {
    @Override
    public String toString() {
      return "not translated (" + why + ")";
    }
  }

  /**
   * An outcome as a recording's {@code allowed} spells it.
   *
   * @throws UnreadableRecording where it is none
   */
  static Outcome parse(String text) {
    int colon = text.indexOf(':');
    String value = text.substring(colon + 1);
    return switch (colon < 0 ? text : text.substring(0, colon)) {
      case "ok" -> new Passed(Hex.parse(value));
      case "fault" -> new Faulted((int) Hex.parse(value));
      case "fpd" -> new Suppressed();
      default -> throw new UnreadableRecording("no outcome of a request: " + text);
    };
  }

  /** What the fabric says became of a request. */
  static Outcome of(DmaSegment.End end, boolean suppressed) {
    return switch (end) {
      case DmaSegment.Moved moved -> new Passed(moved.maddr());
      case DmaSegment.MasterAbort abort -> new Passed(abort.maddr());
      case DmaSegment.Faulted faulted ->
          suppressed ? new Suppressed() : new Faulted(faulted.reason().code());
      case DmaSegment.Protected _ -> new NotTranslated("protected memory");
      case DmaSegment.Interrupt _ -> new NotTranslated("interrupt message");
      case DmaSegment.Unsupported(String why) -> new NotTranslated(why);
    };
  }
}
