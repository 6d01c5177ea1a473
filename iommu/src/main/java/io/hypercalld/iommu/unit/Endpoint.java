package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.PageRequest;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One device as far as it takes part in address translation: what its ATS and PRI capabilities are
 * set to, and what it keeps. Confined to the machine thread.
 *
 * @see "PCIe Address Translation Services §3, §4, §5"
 */
public final class Endpoint implements Digestible {
  private final DeviceTlb tlb = new DeviceTlb();
  private boolean translates;
  private boolean requestsPages;

  private int group;

  /** Response codes by page request group; a group that still waits has none. */
  private final TreeMap<Integer, Integer> responses = new TreeMap<>();

  Endpoint() {}

  /** E of the ATS control register: off, the device keeps nothing and asks for nothing. */
  public void enableTranslations(boolean on) {
    translates = on;
    tlb.clear();
  }

  /** Whether the device asks for translations and keeps them. */
  public boolean translates() {
    return translates;
  }

  /** E of the page request control register. */
  public void enablePageRequests(boolean on) {
    requestsPages = on;
  }

  public boolean requestsPages() {
    return requestsPages;
  }

  /** The translations that the device keeps, the oldest first. */
  public List<DeviceTlb.Kept> kept() {
    return tlb.all();
  }

  /** The answers to the device's page requests, by group. */
  public Map<Integer, Integer> responses() {
    return Map.copyOf(responses);
  }

  DeviceTlb tlb() {
    return tlb;
  }

  /** The group of the device's next page request. */
  int nextGroup() {
    group = (group + 1) % PageRequest.GROUPS;
    return group;
  }

  /** The device has asked for pages in this group and waits. */
  void await(int group) {
    responses.remove(group);
  }

  /** An answer has come. */
  void answer(int group, int code) {
    responses.put(group, code);
  }

  void invalidate(Invalidation.DeviceTranslations range) {
    tlb.invalidate(range);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(translates).put(requestsPages).put(group).put(tlb).put(responses.size());
    responses.forEach((group, code) -> digest.put(group).put(code));
  }
}
