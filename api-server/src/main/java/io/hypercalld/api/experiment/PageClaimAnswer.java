package io.hypercalld.api.experiment;

import io.hypercalld.ioreq.server.ClaimPolicies.ClaimAccess;
import io.hypercalld.ioreq.server.ClaimPolicies.ClaimUpdate;
import io.hypercalld.ioreq.server.ClaimPolicies.Unclaimed;
import java.util.List;
import java.util.Optional;

/**
 * What pages that device models claim cost, policy by policy. Immutable.
 *
 * @param phases the workload, phase by phase (Q1)
 * @param placements a release, by where the pages are (Q1)
 * @param batches pages tagged and untagged by calls of several sizes (Q2)
 * @param ranges the same with a range for each page, as it was done before there was a type (Q3)
 * @param unclaimed what becomes of writes that no server gets (Q4)
 * @param accesses how often a server is asked, by what it claims (Q5)
 * @param types two emulators, by how many types there are (Q6)
 * @param sameMemory whether the guest's memory was the same after the workload in every phase's row
 */
public record PageClaimAnswer(
    PageClaimQuestion question,
    List<Phase> phases,
    List<Placement> placements,
    List<Batch> batches,
    List<Ranges> ranges,
    List<Lost> unclaimed,
    List<Exits> accesses,
    List<Types> types,
    boolean sameMemory)
    implements Findings {

  /**
   * What something cost.
   *
   * @param leafReads leaves looked at to bring them up to date
   * @param entryWrites entries written, on any level
   * @param flushes times that processors had to forget translations
   * @param hypercalls made
   * @param steps that they took together, others running in between
   * @param longestStep the most entries read and written in one of them
   */
  public record Cost(
      long leafReads,
      long entryWrites,
      long flushes,
      long hypercalls,
      long steps,
      long longestStep) {}

  /** What the workload does. */
  public enum Stage {
    TAG,
    CLAIM,
    WRITE,
    RELEASE,
    UNTAG;

    @Override
    public String toString() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /**
   * One phase of the workload.
   *
   * @param requests that the server got
   * @param lostWrites that neither it nor memory got
   */
  public record Phase(
      Unclaimed unclaimed,
      ClaimUpdate update,
      int contexts,
      Stage stage,
      Cost cost,
      long requests,
      long lostWrites) {}

  /** What it costs to release pages that all lie together. */
  public record Placement(ClaimUpdate update, String pages, Cost cost) {}

  /**
   * Tagging and untagging a page table's pages.
   *
   * @param order whether they lie anywhere or one after the other
   * @param perCall pages that a call names at most
   * @param changingCalls after how many calls there was something to flush: the flushes where each
   *     call flushed once, at its end
   * @param interrupts sent to other processors where so many vCPUs run
   */
  public record Batch(
      String order, int perCall, Cost cost, long changingCalls, List<Interrupts> interrupts) {}

  /**
   * Interrupts for a number of running vCPUs: each is told of each flush.
   *
   * @param sent with a flush for each page, as in Xen
   * @param sentPerCall with one for each call
   */
  public record Interrupts(int vcpus, long sent, long sentPerCall) {}

  /**
   * A range for each page.
   *
   * @param limit ranges that a server may have
   * @param pages that were mapped before one was refused; empty where the limit is only thought of
   * @param errno of the refusal
   * @param sharePermille of one page table's leaves
   * @param failingContext the page table that does not fit any more
   * @param callsPer1000Pages hypercalls in the lives of so many
   * @param listStepsPer1000Writes ranges looked at in a list as Xen's
   */
  public record Ranges(
      String scheme,
      long limit,
      Optional<Long> pages,
      Optional<String> errno,
      long sharePermille,
      Optional<Long> failingContext,
      long callsPer1000Pages,
      long listStepsPer1000Writes) {}

  /**
   * What became of writes to pages without a server.
   *
   * @param tagging errno of tagging them, where that was refused
   * @param retries writes that were not made, and were to be tried again
   */
  public record Lost(
      String policy,
      Optional<String> tagging,
      long writes,
      long retries,
      long lostWrites,
      long lostBytes) {}

  /**
   * How often a server was asked for 1,000 accesses.
   *
   * @param readPercent reads among them
   * @param readModifyWrites whether the others read, too
   */
  public record Exits(
      ClaimAccess access, int readPercent, boolean readModifyWrites, long requests) {}

  /**
   * Two emulators of one guest.
   *
   * @param secondClaim errno of the second one's claim, where that was refused
   * @param typeBits bits of an entry that the types take
   */
  public record Types(int types, Optional<String> secondClaim, int typeBits) {}

  @Override
  public String toText() {
    return PageClaimText.of(this);
  }
}
