"""Updates outside chat: e-mail, status page, issue tracker."""
