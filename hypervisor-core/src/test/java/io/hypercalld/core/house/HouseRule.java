package io.hypercalld.core.house;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;

/**
 * A rule, and classes planted to break it: a rule that nothing can break says nothing. Immutable.
 */
public record HouseRule(ArchRule rule, List<Class<?>> planted) {

  /** A rule that may have nothing to judge yet. */
  public static HouseRule of(ArchRule rule, Class<?>... planted) {
    return new HouseRule(rule.allowEmptyShould(true), List.of(planted));
  }

  /** The product's classes in a package and those below it. */
  public static JavaClasses productClasses(String root) {
    return new ClassFileImporter()
        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
        .importPackages(root);
  }

  /** Fails where the classes break the rule. */
  public void check(JavaClasses classes) {
    rule.check(classes);
  }

  /** The planted classes that the rule does not complain of. */
  public List<Class<?>> unnoticed() {
    JavaClasses classes = new ClassFileImporter().importClasses(planted);
    String complaints = String.join("\n", rule.evaluate(classes).getFailureReport().getDetails());
    return planted.stream().filter(type -> !complaints.contains(type.getName())).toList();
  }

  @Override
  public String toString() {
    return rule.getDescription();
  }
}
