//! People: added, changed, removed, signed in.

use crate::auth::Auth;
use crate::credential::{By, Session};
use crate::error::{AuthError, LoginError};
use crate::keys::gone;
use einthoven_registry_state::{AccessChange, Role, User, UserName};
use secrecy::SecretString;
use std::sync::Arc;

impl Auth {
    /// Adds somebody who signs in with a password.
    ///
    /// # Errors
    /// [`AuthError`]; a user of that name is refused by the registry.
    pub async fn create_user(
        &self,
        by: By,
        user: UserName,
        password: SecretString,
        roles: Vec<Role>,
    ) -> Result<Arc<User>, AuthError> {
        let password = self.0.passwords.hash(password).await?;
        let name = user.clone();
        self.changed_user(by, &name, AccessChange::AddUser { user, password, roles })
            .await
    }

    /// Gives them another password, and ends their sessions.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn set_password(&self, by: By, name: &UserName, password: SecretString) -> Result<Arc<User>, AuthError> {
        let password = self.0.passwords.hash(password).await?;
        let user = name.clone();
        self.changed_user(by, name, AccessChange::SetPassword { user, password })
            .await
    }

    /// Says anew what they do here.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn set_roles(&self, by: By, name: &UserName, roles: Vec<Role>) -> Result<Arc<User>, AuthError> {
        let user = name.clone();
        self.changed_user(by, name, AccessChange::SetRoles { user, roles })
            .await
    }

    /// Removes them; their sessions and tokens count no more.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn delete_user(&self, by: By, name: &UserName) -> Result<(), AuthError> {
        let user = name.clone();
        self.change(by, AccessChange::RemoveUser { user }).await.map(drop)
    }

    /// All users, by name.
    #[must_use]
    pub fn list_users(&self) -> Vec<Arc<User>> {
        self.0.registry.glance().access.users.values().cloned().collect()
    }

    /// Begins a session.
    ///
    /// # Errors
    /// [`LoginError::Wrong`] whether there is such a user or not; [`LoginError::TooMany`] after too many attempts.
    pub async fn login(&self, name: &str, password: &SecretString) -> Result<Session, LoginError> {
        let name = name.parse::<UserName>().ok();
        let access = Arc::clone(&self.0.registry.glance().access);
        let kept = name.as_ref().and_then(|name| access.users.get(name).cloned());
        let text = name.as_ref().map_or("", UserName::as_str);
        let password_kept = kept.as_ref().map(|user| user.password.clone());
        self.0.passwords.check(text, password, password_kept).await?;
        let Some(user) = kept else {
            return Err(LoginError::Wrong);
        };
        self.begin_session(&format!("user:{}", user.name), None, access.revision)
    }

    async fn changed_user(&self, by: By, name: &UserName, change: AccessChange) -> Result<Arc<User>, AuthError> {
        let done = self.change(by, change).await?;
        Ok(Arc::clone(done.state.access.user(name).map_err(gone)?))
    }
}
