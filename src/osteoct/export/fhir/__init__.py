"""A case as FHIR R4: DiagnosticReport, Observations, the software, and the codes of its own."""
