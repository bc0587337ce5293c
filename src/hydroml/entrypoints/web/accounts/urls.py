"""Addresses of the accounts."""

from django.urls import path

from hydroml.entrypoints.web.accounts import views

urlpatterns = [
    path("login", views.Login.as_view(), name="login"),
    path("logout", views.Logout.as_view(), name="logout"),
    path("signup", views.signup, name="signup"),
    path("settings", views.settings_page, name="settings"),
]
