package io.hypercalld.api.conformance;

import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.Register;

/**
 * Where a unit has the registers that capabilities place, in bytes. Immutable.
 *
 * @param faultRecord the first fault record
 * @param faultRecords how many there are
 * @param iotlb the IOTLB register
 */
record Window(int faultRecord, int faultRecords, int iotlb) {
  static Window of(Capabilities capabilities) {
    return new Window(
        capabilities.faultRecordOffset(0), capabilities.faultRecords(), capabilities.iotlbOffset());
  }

  boolean isFaultRecord(int word) {
    return word >= faultRecord && word < faultRecord + faultRecords * FaultRecord.BYTES;
  }

  /** Which record a word of the records belongs to. */
  int faultIndex(int word) {
    return (word - faultRecord) / FaultRecord.BYTES;
  }

  /** The word of a record that software stores to, to clear F. */
  boolean isFaultTrigger(int word) {
    return isFaultRecord(word)
        && (word - faultRecord) % FaultRecord.BYTES == FaultRecord.BYTES - Integer.BYTES;
  }

  /** The half of CCMD that has ICC. */
  int contextCommand() {
    return Register.CCMD.offset() + Integer.BYTES;
  }

  /** The half of the IOTLB register that has IVT. */
  int iotlbCommand() {
    return iotlb + Integer.BYTES;
  }
}
