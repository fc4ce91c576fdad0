"""Making, changing and deleting the stack: `changesets` proposes, `progress` follows what CloudFormation does."""
