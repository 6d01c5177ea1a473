package io.hypercalld.api.conformance;

import io.hypercalld.api.conformance.Consequence.Registers;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.Register;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * Holds registers to a recording, except in bits that may differ because something before went
 * another legal way. Confined to the thread that runs the case.
 */
final class RegisterCheck {
  private static final long HALF = 0xffff_ffffL;

  private final RemappingUnit unit;
  private final Report report;
  private final Registers at;
  private final RegisterFreedoms freedoms;

  /** What may differ for now, and the deviation or freedom that it follows from. */
  private final Map<Consequence, String> excused = new EnumMap<>(Consequence.class);

  RegisterCheck(RemappingUnit unit, Report report) {
    this.unit = unit;
    this.report = report;
    this.at =
        new Registers(unit.capabilities().faultRecordOffset(0), unit.capabilities().iotlbOffset());
    this.freedoms = new RegisterFreedoms(unit, at);
  }

  /** From here on registers may differ as {@code consequence} says. */
  void excuse(Consequence consequence, String cause) {
    excused.putIfAbsent(consequence, cause);
  }

  boolean isExcused(Consequence consequence) {
    return excused.containsKey(consequence);
  }

  /** FSTS and the fault record; where they agree again, the paths have met again. */
  Optional<Mismatch> compare(CorpusCase.FaultRegisters recorded) {
    Optional<Mismatch> mismatch =
        compare("FSTS", Register.FSTS.offset(), Integer.BYTES, recorded.status())
            .or(() -> compare("FRCD.lo", at.faultRecord(), Long.BYTES, recorded.lo()))
            .or(() -> compare("FRCD.hi", recordHi(), Long.BYTES, recorded.hi()));
    if (mismatch.isEmpty() && agrees(recorded)) {
      excused.remove(Consequence.FAULTS);
    }
    return mismatch;
  }

  private int recordHi() {
    return at.faultRecord() + Long.BYTES;
  }

  private boolean agrees(CorpusCase.FaultRegisters recorded) {
    long stray = FaultRecord.PP.mask() | FaultRecord.PV.mask();
    return unit.read32(Register.FSTS.offset()) == (int) recorded.status()
        && unit.read64(at.faultRecord()) == recorded.lo()
        && ((unit.read64(recordHi()) ^ recorded.hi()) & ~stray) == 0;
  }

  /** One register of 4 or 8 bytes. */
  Optional<Mismatch> compare(String name, int offset, int bytes, long recorded) {
    boolean wide = bytes == Long.BYTES;
    long got = wide ? unit.read64(offset) : Integer.toUnsignedLong(unit.read32(offset));
    long wrong = unexplained(offset, recorded & HALF, got & HALF);
    if (wide) {
      wrong |= unexplained(offset + Integer.BYTES, recorded >>> 32, got >>> 32);
    }
    return wrong == 0
        ? Optional.empty()
        : Optional.of(new Mismatch(name, Hex.of(recorded), Hex.of(got)));
  }

  /** What of the differing bits of one 32-bit word nothing accounts for. */
  private long unexplained(int word, long recorded, long got) {
    long left = recorded ^ got;
    if (left == 0) {
      return 0;
    }
    for (Map.Entry<Consequence, String> each : excused.entrySet()) {
      long followed = left & each.getKey().mask(word, at);
      if (followed != 0) {
        report.consequence(each.getValue());
        left &= ~followed;
      }
    }
    for (RegisterFreedoms.Freedom freedom : freedoms.of(word, recorded, got)) {
      if ((left & freedom.bits()) != 0) {
        report.deviation(freedom.deviation());
        left &= ~freedom.bits();
      }
    }
    return left;
  }
}
